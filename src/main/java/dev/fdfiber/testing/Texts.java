package dev.fdfiber.testing;

import dev.fdfiber.Fiber;
import dev.fdfiber.FiberInfo;
import dev.fdfiber.Scheduler;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How the harness writes of fibers and threads. */
final class Texts {
  private Texts() {}

  /** A fiber: its name, what it does and where. */
  static String fiber(FiberInfo fiber, Trace.FdNames names) {
    StringBuilder text = new StringBuilder("fiber \"" + fiber.name() + "\" ");
    if (isUnstarted(fiber)) {
      return text.append("has not run yet").toString();
    }
    text.append(doing(fiber, names));
    fiber.thread().ifPresent(thread -> text.append(Stacks.text(Stacks.of(thread), "\n      at ")));
    return text.toString();
  }

  private static String doing(FiberInfo fiber, Trace.FdNames names) {
    return switch (fiber.state()) {
      case READY -> "is ready to run";
      case RUNNING -> "is running";
      case PAUSED -> "is in a pause" + left(fiber);
      case WAITING_IO -> "waits for " + fds(fiber, names) + left(fiber);
      case BLOCKED -> "is blocked in the JDK, or in a join";
      case DONE -> "has ended";
    };
  }

  static String quoted(Fiber fiber) {
    return "\"" + fiber.name() + "\"";
  }

  /** As in "2 fibers are". */
  static String count(long n, String what) {
    return n + " " + what + (n == 1 ? " is" : "s are");
  }

  static boolean isUnstarted(FiberInfo fiber) {
    return fiber.state() == Fiber.State.READY
        && fiber.thread().map(thread -> thread.getStackTrace().length == 0).orElse(false);
  }

  private static String fds(FiberInfo fiber, Trace.FdNames names) {
    if (fiber.fds().size() != 1) {
      return "any of the descriptors " + fiber.fds();
    }
    int fd = fiber.fds().getFirst();
    return names.numbered(fd) + ", " + OpenFds.target(fd) + ", to be " + mode(fiber.mode());
  }

  static String mode(int mode) {
    return switch (mode) {
      case Scheduler.READ -> "readable";
      case Scheduler.WRITE -> "writable";
      default -> "readable or writable";
    };
  }

  private static String left(FiberInfo fiber) {
    return fiber.nanosLeft().isPresent()
        ? String.format(Locale.ROOT, " for another %.3f s", fiber.nanosLeft().getAsLong() / 1e9)
        : "";
  }

  /** Every platform thread with its stack, but for those of the JVM that wait for work. */
  static String threads() {
    StringBuilder text = new StringBuilder();
    for (Map.Entry<Thread, StackTraceElement[]> entry : Thread.getAllStackTraces().entrySet()) {
      Thread thread = entry.getKey();
      if (!thread.isDaemon() && entry.getValue().length > 0) {
        text.append("\nthread \"").append(thread.getName()).append("\" ");
        text.append(thread.getState());
        text.append(Stacks.text(Stacks.trimmed(List.of(entry.getValue())), "\n      at "));
      }
    }
    return text.toString();
  }
}
