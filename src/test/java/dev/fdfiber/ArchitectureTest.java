package dev.fdfiber;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.targetOwner;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture.LayerDependencySpecification;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.AccessibleObject;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullMarked;

/** The shape of the library: what may know what, and what only one class may do. */
@AnalyzeClasses(packages = "dev.fdfiber", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  private static final DescribedPredicate<JavaClass> HANDWRITTEN =
      resideOutsideOfPackage("dev.fdfiber.libc");

  /** The packages from the top down: each may use what is below it, none its neighbour. */
  private static final List<List<String>> LEVELS =
      List.of(
          List.of("dev.fdfiber.testing", "dev.fdfiber.inspect"),
          List.of("dev.fdfiber.sock", "dev.fdfiber.fd"),
          List.of("dev.fdfiber"),
          List.of("dev.fdfiber.poller"),
          List.of("dev.fdfiber.kernel"));

  @ArchTest
  static void arrowsPointDownOnly(JavaClasses classes) {
    LayeredArchitecture architecture =
        layeredArchitecture()
            .consideringOnlyDependenciesInAnyPackage("dev.fdfiber..")
            .withOptionalLayers(true);
    List<String> above = new ArrayList<>();
    for (List<String> level : LEVELS) {
      for (String layer : level) {
        architecture = architecture.layer(layer).definedBy(layer);
        architecture = onlyUsedBy(architecture, layer, above);
      }
      above.addAll(level);
    }
    architecture = architecture.layer("dev.fdfiber.libc").definedBy("dev.fdfiber.libc");
    onlyUsedBy(architecture, "dev.fdfiber.libc", List.of("dev.fdfiber.kernel")).check(classes);
  }

  @ArchTest
  static final ArchRule packagesAreFreeOfCycles =
      slices().matching("dev.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule onlyLinuxKernelLinksNativeCode =
      noClasses()
          .that(handwrittenOutside("dev.fdfiber.kernel.LinuxKernel"))
          .should()
          .dependOnClassesThat(assignableTo(Linker.class).or(assignableTo(Linker.Option.class)))
          .orShould()
          .accessTargetWhere(calls(type(MemorySegment.class), "reinterpret"))
          .orShould()
          .accessTargetWhere(calls(type(System.class), "load|loadLibrary"));

  @ArchTest
  static final ArchRule onlyVirtualThreadsOpensTheJdk =
      noClasses()
          .that(handwrittenOutside("dev.fdfiber.VirtualThreads"))
          .should()
          .accessTargetWhere(calls(assignableTo(AccessibleObject.class), "(try|)[sS]etAccessible"))
          .orShould()
          .accessTargetWhere(calls(type(MethodHandles.class), "privateLookupIn"));

  @ArchTest
  static final ArchRule onlySystemClockReadsNanoTime =
      noClasses()
          .that(handwrittenOutside("dev.fdfiber.SystemClock"))
          .should()
          .accessTargetWhere(calls(type(System.class), "nanoTime"));

  @ArchTest
  static final ArchRule onlyDoctorPrints =
      noClasses()
          .that(handwrittenOutside("dev.fdfiber.Doctor"))
          .should()
          .accessTargetWhere(calls(type(System.class), "out|err"));

  @ArchTest
  static final ArchRule onlyMicrometerMetricsNeedsMicrometer =
      noClasses()
          .that(handwrittenOutside("dev.fdfiber.inspect.MicrometerMetrics"))
          .should()
          .dependOnClassesThat(resideInAPackage("io.micrometer.."));

  @ArchTest
  static final ArchRule onlyInspectKnowsFlightRecorder =
      noClasses()
          .that(resideOutsideOfPackage("dev.fdfiber.inspect"))
          .should()
          .dependOnClassesThat(resideInAPackage("jdk.jfr.."));

  @ArchTest
  static void everyPackageIsNullMarked(JavaClasses classes) {
    assertThat(classes)
        .filteredOn(HANDWRITTEN)
        .extracting(JavaClass::getPackage)
        .allMatch(p -> p.tryGetPackageInfo().isPresent(), "has a package-info")
        .allMatch(p -> p.isAnnotatedWith(NullMarked.class), "is annotated @NullMarked");
  }

  private static LayeredArchitecture onlyUsedBy(
      LayeredArchitecture architecture, String layer, List<String> users) {
    LayerDependencySpecification rule = architecture.whereLayer(layer);
    return users.isEmpty()
        ? rule.mayNotBeAccessedByAnyLayer()
        : rule.mayOnlyBeAccessedByLayers(users.toArray(String[]::new));
  }

  /** All handwritten classes but one and those nested in it. */
  private static DescribedPredicate<JavaClass> handwrittenOutside(String name) {
    return HANDWRITTEN
        .and(not(nameMatching(Pattern.quote(name) + "(\\$.*)?")))
        .as("are handwritten and not %s", name);
  }

  /** An access to a method, also by reference, or to a field. */
  private static DescribedPredicate<JavaAccess<?>> calls(
      DescribedPredicate<? super JavaClass> owner, String namePattern) {
    return targetOwner(owner).and(target(nameMatching(namePattern)));
  }
}
