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
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture.LayerDependencySpecification;
import dev.fdfiber.testing.FdTest;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.AccessibleObject;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The shape of the library: what may know what, and what only one class may do. */
@FdTest
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new DoNotIncludeTests())
          .importPackages("dev.fdfiber");

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

  @Test
  void arrowsPointDownOnly() {
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
    onlyUsedBy(architecture, "dev.fdfiber.libc", List.of("dev.fdfiber.kernel")).check(CLASSES);
  }

  @Test
  void packagesAreFreeOfCycles() {
    slices().matching("dev.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void onlyLinuxKernelLinksNativeCode() {
    noClasses()
        .that(handwrittenOutside("dev.fdfiber.kernel.LinuxKernel"))
        .should()
        .dependOnClassesThat(assignableTo(Linker.class).or(assignableTo(Linker.Option.class)))
        .orShould()
        .accessTargetWhere(calls(type(MemorySegment.class), "reinterpret"))
        .orShould()
        .accessTargetWhere(calls(type(System.class), "load|loadLibrary"))
        .check(CLASSES);
  }

  @Test
  void onlyTwoClassesOpenTheJdk() {
    noClasses()
        .that(handwrittenOutside("dev.fdfiber.VirtualThreads"))
        .and(handwrittenOutside("dev.fdfiber.testing.LockOwners"))
        .should()
        .accessTargetWhere(calls(assignableTo(AccessibleObject.class), "(try|)[sS]etAccessible"))
        .orShould()
        .accessTargetWhere(calls(type(MethodHandles.class), "privateLookupIn"))
        .check(CLASSES);
  }

  @Test
  void onlySystemClockReadsNanoTime() {
    noClasses()
        .that(handwrittenOutside("dev.fdfiber.SystemClock"))
        .should()
        .accessTargetWhere(calls(type(System.class), "nanoTime"))
        .check(CLASSES);
  }

  @Test
  void onlyDoctorPrints() {
    noClasses()
        .that(handwrittenOutside("dev.fdfiber.Doctor"))
        .should()
        .accessTargetWhere(calls(type(System.class), "out|err"))
        .check(CLASSES);
  }

  @Test
  void onlyMicrometerMetricsNeedsMicrometer() {
    noClasses()
        .that(handwrittenOutside("dev.fdfiber.inspect.MicrometerMetrics"))
        .should()
        .dependOnClassesThat(resideInAPackage("io.micrometer.."))
        .check(CLASSES);
  }

  @Test
  void onlyInspectKnowsFlightRecorder() {
    noClasses()
        .that(resideOutsideOfPackage("dev.fdfiber.inspect"))
        .should()
        .dependOnClassesThat(resideInAPackage("jdk.jfr.."))
        .check(CLASSES);
  }

  @Test
  void everyPackageIsNullMarked() {
    assertThat(CLASSES)
        .filteredOn(HANDWRITTEN)
        .extracting(JavaClass::getPackage)
        .allMatch(p -> p.tryGetPackageInfo().isPresent(), "has a package-info")
        .allMatch(p -> p.isAnnotatedWith(NullMarked.class), "is annotated @NullMarked");
  }

  /** What JUnit finds for a build, so neither contracts nor classes that others run. */
  @Test
  @Tag("slow")
  void everyTest_isAnFdTest() {
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(DiscoverySelectors.selectPackage("dev.fdfiber"))
            .filters(ClassNameFilter.includeClassNamePatterns(".*Test"))
            .build();
    TestPlan plan = LauncherFactory.create().discover(request);
    List<MethodSource> tests = new ArrayList<>();
    plan.accept(
        new TestPlan.Visitor() {
          @Override
          public void visit(TestIdentifier test) {
            test.getSource()
                .filter(MethodSource.class::isInstance)
                .map(MethodSource.class::cast)
                .ifPresent(tests::add);
          }
        });
    assertThat(tests).hasSizeGreaterThan(1000);
    assertThat(tests).filteredOn(test -> !isFdTest(test)).isEmpty();
  }

  /** If the method says so, its class, or one around that. */
  private static boolean isFdTest(MethodSource test) {
    Class<?> type = test.getJavaClass();
    boolean found = AnnotationSupport.isAnnotated(test.getJavaMethod(), FdTest.class);
    while (!found && type != null) {
      found = AnnotationSupport.isAnnotated(type, FdTest.class);
      type = AnnotationSupport.isAnnotated(type, Nested.class) ? type.getEnclosingClass() : null;
    }
    return found;
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
