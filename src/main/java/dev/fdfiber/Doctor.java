package dev.fdfiber;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.Platform;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * {@code java -jar fdfiber.jar}: tells whether fibers can run here, and the exact line for what is
 * missing. Started with a program's own flags and class path, it tells about that program's: {@code
 * java FLAGS -cp fdfiber.jar dev.fdfiber.Doctor}.
 */
final class Doctor {
  private static final int OLDEST_JDK = 22;
  private static final long FEW_FDS = 4096;

  private final PrintStream out;
  private boolean healthy = true;

  Doctor(PrintStream out) {
    this.out = out;
  }

  /** Prints the findings to standard output; the exit status is 0 if fibers can run, else 1. */
  public static void main(String[] args) {
    boolean healthy = new Doctor(System.out).examine();
    if (!healthy) {
      System.exit(1);
    }
  }

  /** Looks at everything, and stops where the rest depends on what is missing. */
  boolean examine() {
    if (platform() && jdk() && flag()) {
      limits();
      fiber();
    }
    out.println(healthy ? "fibers can run here" : "fibers cannot run here yet");
    return healthy;
  }

  private boolean platform() {
    String kernel = System.getProperty("os.version", "unknown");
    try {
      Platform.check();
      return good("platform", "Linux " + kernel + " on " + System.getProperty("os.arch"));
    } catch (UnsupportedOperationException e) {
      return bad("platform", String.valueOf(e.getMessage()));
    }
  }

  private boolean jdk() {
    int feature = Runtime.version().feature();
    String found = Runtime.version() + ", " + System.getProperty("java.vm.name");
    return feature >= OLDEST_JDK
        ? good("JDK", found)
        : bad("JDK", found + "; " + OLDEST_JDK + " or later is needed");
  }

  private boolean flag() {
    Module module = Doctor.class.getModule();
    if (!SetupHelp.isOpen()) {
      return bad("flag", SetupHelp.missingFlag());
    }
    if (!module.isNativeAccessEnabled()) {
      warn("flag", "native access is not enabled, so the JVM warns; add " + SetupHelp.flags());
      return true;
    }
    return good("flag", "java.lang is open and native access enabled, for " + caller(module));
  }

  private static String caller(Module module) {
    return module.isNamed() ? "module " + module.getName() : "the class path";
  }

  private void limits() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment limit = arena.allocate(Linux.rlimitLayout());
      int result = Kernel.system().getrlimit(Linux.RLIMIT_NOFILE, limit);
      if (result < 0) {
        bad("limits", new ErrnoException("getrlimit", -result).toString());
        return;
      }
      long soft = Linux.softLimit(limit);
      String found = "open files: " + number(soft) + ", at most " + number(Linux.hardLimit(limit));
      if (soft >= 0 && soft < FEW_FDS) {
        warn("limits", found + "; for more, before starting Java: ulimit -n " + number(FEW_FDS));
      } else {
        good("limits", found);
      }
    }
  }

  private static String number(long limit) {
    return limit < 0 ? "unlimited" : Long.toString(limit);
  }

  /** The proof: a fiber that waits for time, through the kernel. */
  private void fiber() {
    try (Scheduler scheduler = Scheduler.builder().name("doctor").build()) {
      Fiber fiber = scheduler.spawn("patient", () -> Scheduler.pause(0.001));
      scheduler.run();
      if (fiber.failure().isPresent()) {
        bad("fiber", "a pause failed: " + fiber.failure().get());
      } else {
        good("fiber", "one ran, waited and ended");
      }
    } catch (RuntimeException e) {
      bad("fiber", e.toString());
    }
  }

  private boolean good(String what, String finding) {
    print("ok", what, finding);
    return true;
  }

  private void warn(String what, String finding) {
    print("note", what, finding);
  }

  private boolean bad(String what, String finding) {
    healthy = false;
    print("missing", what, finding);
    return false;
  }

  private void print(String verdict, String what, String finding) {
    out.printf("%-8s %-9s %s%n", verdict, what, finding);
  }
}
