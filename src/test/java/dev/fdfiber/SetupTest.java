package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.FdTest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JVMs that were started with what fibers need, without it, and without descriptors to spare. */
@FdTest
@Tag("slow")
class SetupTest {
  /** Few, but more than the class path of the tests has jars, all of which a JVM may open. */
  private static final int FEW_FILES = 200;

  private static final List<String> NO_CONTINUATIONS =
      List.of("-XX:+UnlockExperimentalVMOptions", "-XX:-VMContinuations");

  @TempDir private Path directory;

  private ChildJvm.Result run(List<String> flags, Class<?> program) throws Exception {
    return new ChildJvm(flags).run(directory, program.getName());
  }

  private static List<String> and(List<String> some, List<String> more) {
    List<String> all = new ArrayList<>(some);
    all.addAll(more);
    return all;
  }

  /** Tells what happens when it is asked for a scheduler, in three kinds of threads. */
  static final class Asks {
    private Asks() {}

    public static void main(String[] args) throws Exception {
      System.out.println("platform: inFiber " + Scheduler.inFiber());
      Thread.startVirtualThread(Asks::inVirtual).join();
      try (Scheduler s = Scheduler.create()) {
        s.spawn(() -> System.out.println("fiber: inFiber " + Scheduler.inFiber()));
        s.run();
      } catch (RuntimeException e) {
        System.out.println(e);
      }
    }

    private static void inVirtual() {
      System.out.println("virtual: inFiber " + Scheduler.inFiber());
    }
  }

  @Test
  void withTheFlags_fibersRun_andNothingIsWarnedOf() throws Exception {
    ChildJvm.Result result = run(ChildJvm.FIBER_FLAGS, Asks.class);
    assertThat(result.errors()).isEmpty();
    assertThat(result.out().lines())
        .containsExactly(
            "platform: inFiber false", "virtual: inFiber false", "fiber: inFiber true");
    assertThat(result.status()).isZero();
  }

  @Test
  void withoutTheFlags_createSaysWhatToAdd_howeverTheProgramIsStarted() throws Exception {
    ChildJvm.Result result = run(List.of(), Asks.class);
    assertThat(result.errors()).isEmpty();
    assertThat(result.out())
        .startsWith(
            """
            platform: inFiber false
            virtual: inFiber false
            java.lang.IllegalStateException: fibers need the JDK's package java.lang opened\
            """);
    thatSaysWhatToAdd(result.out());
    assertThat(result.status()).isZero();
  }

  private static void thatSaysWhatToAdd(String text) {
    String flags = String.join(" ", ChildJvm.FIBER_FLAGS);
    assertThat(text)
        .containsPattern("command line: +java " + flags.replace("--add-opens=", "--add-opens "))
        .containsPattern("environment: +JDK_JAVA_OPTIONS=\"" + flags + "\"")
        .containsPattern("Surefire: +<argLine>" + flags + "</argLine>")
        .containsPattern("Gradle: +jvmArgs\\(\"" + flags.replace(" ", "\", \"") + "\"\\)")
        .contains("manifest of the jar")
        .contains("Add-Opens: java.base/java.lang\n")
        .contains("Enable-Native-Access: ALL-UNNAMED\n");
  }

  @Test
  void withoutContinuations_createSaysSo_andNothingIsAFiber() throws Exception {
    ChildJvm.Result result = run(and(NO_CONTINUATIONS, ChildJvm.FIBER_FLAGS), Asks.class);
    assertThat(result.errors()).isEmpty();
    assertThat(result.out().lines().toList())
        .hasSize(3)
        .startsWith("platform: inFiber false", "virtual: inFiber false")
        .last()
        .asString()
        .startsWith("java.lang.UnsupportedOperationException: ")
        .contains("no continuations")
        .contains("-XX:-VMContinuations");
    assertThat(result.status()).isZero();
  }

  @Test
  void doctor_withTheFlags_findsNothingMissing() throws Exception {
    ChildJvm.Result result = run(ChildJvm.FIBER_FLAGS, Doctor.class);
    assertThat(result.errors()).isEmpty();
    assertThat(result.out())
        .containsPattern("(?m)^ok +platform +Linux ")
        .containsPattern("(?m)^ok +JDK +" + Runtime.version().feature())
        .containsPattern("(?m)^ok +flag +java.lang is open and native access enabled")
        .containsPattern("(?m)^(ok|note) +limits +open files: ")
        .containsPattern("(?m)^ok +fiber +one ran, waited and ended$")
        .endsWith("fibers can run here\n")
        .doesNotContain("missing");
    assertThat(result.status()).isZero();
  }

  @Test
  void doctor_withoutTheFlags_saysWhatToAdd() throws Exception {
    ChildJvm.Result result = run(List.of(), Doctor.class);
    assertThat(result.errors()).isEmpty();
    assertThat(result.out())
        .containsPattern("(?m)^missing +flag +fibers need the JDK's package java.lang opened")
        .endsWith("fibers cannot run here yet\n");
    thatSaysWhatToAdd(result.out());
    assertThat(result.status()).isOne();
  }

  @Test
  void doctor_withoutNativeAccess_notesTheLineToAdd() throws Exception {
    ChildJvm.Result result = run(List.of(ChildJvm.FIBER_FLAGS.getFirst()), Doctor.class);
    assertThat(result.out())
        .containsPattern("(?m)^note +flag +native access is not enabled")
        .contains(ChildJvm.FIBER_FLAGS.getLast())
        .endsWith("fibers can run here\n");
    assertThat(result.status()).isZero();
  }

  @Test
  void doctor_withoutContinuations_saysSo() throws Exception {
    ChildJvm.Result result = run(and(NO_CONTINUATIONS, ChildJvm.FIBER_FLAGS), Doctor.class);
    assertThat(result.out())
        .containsPattern("(?m)^missing +fiber .*no continuations")
        .endsWith("fibers cannot run here yet\n");
    assertThat(result.status()).isOne();
  }

  @Test
  void doctor_withFewDescriptors_notesTheLimit() throws Exception {
    ChildJvm.Result result =
        new ChildJvm(ChildJvm.FIBER_FLAGS)
            .withOpenFiles(FEW_FILES)
            .run(directory, Doctor.class.getName());
    assertThat(result.out())
        .containsPattern(
            "(?m)^note +limits +open files: " + FEW_FILES + ", at most " + FEW_FILES + "; for");
    assertThat(result.status()).isZero();
  }

  /** Takes every descriptor there is, and does not catch what that ends in. */
  static final class TakesAll {
    private TakesAll() {}

    public static void main(String[] args) {
      Scheduler s = Scheduler.create();
      s.spawn("warm-up", () -> Scheduler.pause(0.001)); // classes are files here
      s.run();
      Fiber greedy =
          s.spawn(
              "greedy",
              () -> {
                while (true) {
                  Sock.listen(0, false);
                }
              });
      Fiber other = s.spawn("other", () -> Scheduler.pause(0.001));
      s.run();
      if (greedy.failure().orElse(null) instanceof ErrnoException e) {
        System.out.println("errno " + e.errno() + " " + e.name());
      }
      System.out.println("other failed: " + other.failure().isPresent());
    }
  }

  @Test
  void withoutADescriptorLeft_errorsAreToldAllTheSame() throws Exception {
    ChildJvm.Result result =
        new ChildJvm(ChildJvm.FIBER_FLAGS)
            .withOpenFiles(FEW_FILES)
            .run(directory, TakesAll.class.getName());
    assertThat(result.errors())
        .contains("fiber greedy ended with dev.fdfiber.ErrnoException: ")
        .contains("EMFILE (Too many open files)")
        .doesNotContain("NoClassDefFoundError");
    assertThat(result.out().lines()).containsExactly("errno 24 EMFILE", "other failed: false");
    assertThat(result.status()).isZero();
  }
}
