package dev.fdfiber;

import dev.fdfiber.kernel.Errno;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.time.ZoneId;
import java.util.List;

/**
 * What the scheduler tells when nobody asked: through {@link System.Logger}, name "dev.fdfiber".
 */
final class Reports {
  private static final System.Logger LOG = System.getLogger("dev.fdfiber");

  private Reports() {}

  /**
   * Loads what is needed to tell of an error. Where classes are files, the JVM cannot load one when
   * there is no descriptor left, which is just when these are needed, and never tries again. The
   * time zone, which java.util.logging writes with, is a file too.
   */
  static void load() {
    ErrnoException example = new ErrnoException("load", Errno.EMFILE);
    ZoneId zone = ZoneId.systemDefault();
    LOG.log(System.Logger.Level.TRACE, "ready to tell of {0}, {1}", example.name(), zone);
  }

  /** The default of {@code onUncaught}. */
  static void uncaught(Fiber fiber, Throwable t) {
    LOG.log(System.Logger.Level.ERROR, "fiber " + fiber.name() + " ended with " + t, t);
  }

  static void handlerFailed(Task task, Throwable t) {
    String message = "onUncaught, called for fiber " + task.name() + ", threw " + t;
    LOG.log(System.Logger.Level.ERROR, message, t);
  }

  static void noFlightRecorder(Throwable t) {
    LOG.log(System.Logger.Level.DEBUG, "no events for JDK Flight Recorder: {0}", t);
  }

  static void observerFailed(Observer observer, Throwable t) {
    String message = "observer " + observer + " threw " + t + ", and is detached";
    LOG.log(System.Logger.Level.ERROR, message, t);
  }

  static void makerFailed(Scheduler scheduler, Object maker, Throwable t) {
    String message = maker + " threw " + t + ", and does not observe scheduler " + scheduler.name();
    LOG.log(System.Logger.Level.ERROR, message, t);
  }

  static void swallowsCancel(Task task, double seconds) {
    LOG.log(
        System.Logger.Level.WARNING,
        "fiber {0} was cancelled and has not ended after {1} s; it is given up ({2})",
        task.name(),
        seconds,
        task.state());
  }

  /** A scope cannot be left, because a child does not end. */
  static void holdsScope(String scope, Task child, double seconds) {
    LOG.log(
        System.Logger.Level.WARNING,
        "{0} waits for fiber {1}, which was cancelled and has not ended after {2} s ({3})",
        scope,
        child.name(),
        seconds,
        child.state());
  }

  static void leftOpen(String scope, String owner) {
    LOG.log(
        System.Logger.Level.WARNING,
        "{0} ended without closing {1}; what it forked is cancelled",
        owner,
        scope);
  }

  static void holds(String scheduler, Task task, long nanos, List<StackTraceElement> stack) {
    StringBuilder text = new StringBuilder();
    text.append("fiber ").append(task.name()).append(" has held the driver of ").append(scheduler);
    text.append(" for ").append(Times.text(nanos));
    text.append(", and nothing else there goes on. ");
    text.append("Blocking.call runs elsewhere what cannot park:");
    stack.forEach(frame -> text.append("\n    at ").append(frame));
    LOG.log(System.Logger.Level.WARNING, text::toString);
  }

  static void pinned(Task task, String wait, List<StackTraceElement> stack) {
    LOG.log(System.Logger.Level.WARNING, () -> pinnedMessage(task, wait, stack));
  }

  static String pinnedMessage(Task task, String wait, List<StackTraceElement> stack) {
    StringBuilder text = new StringBuilder();
    text.append("fiber ").append(task.name()).append(" waits while it is pinned (").append(wait);
    text.append("), which holds every other fiber of its scheduler. ").append(cause(stack));
    stack.forEach(frame -> text.append("\n    at ").append(frame));
    return text.toString();
  }

  private static String cause(List<StackTraceElement> stack) {
    for (StackTraceElement frame : stack) {
      if (frame.getMethodName().equals("<clinit>")) {
        return "It is in the static initializer of " + frame.getClassName() + ":";
      }
      if (frame.isNativeMethod()) {
        return "Native code calls it through " + frame + ":";
      }
    }
    return "Native code, or before JDK 24 synchronized, is on its stack:";
  }

  /** If this is how a cancelled fiber ends. */
  static boolean isCancel(Task task, Throwable t) {
    if (t instanceof InterruptedException || t instanceof ClosedByInterruptException) {
      return true;
    }
    return t instanceof InterruptedIOException
        && !(t instanceof SocketTimeoutException)
        && task.isInterrupted();
  }
}
