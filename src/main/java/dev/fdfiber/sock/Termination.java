package dev.fdfiber.sock;

import dev.fdfiber.kernel.JvmSignals;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * SIGTERM and SIGINT as a flag, or as a call. A shutdown hook would come when the JVM is ending
 * already; a signal handler keeps it running.
 */
final class Termination {
  private static final List<String> SIGNALS = List.of("TERM", "INT");
  private static final Runnable SETS_FLAG = Termination::received;
  private static final AtomicBoolean FLAG_WANTED = new AtomicBoolean();

  private static volatile boolean requested;

  private Termination() {}

  static boolean isRequested() {
    return requested;
  }

  /** Sets the flag at a signal, from now on and for good. */
  static void install() {
    if (FLAG_WANTED.compareAndSet(false, true)) {
      try {
        addToAll(SETS_FLAG);
      } catch (IllegalStateException e) {
        FLAG_WANTED.set(false);
        throw e;
      }
    }
  }

  /** Calls the listener at each signal, on a thread of the JVM's, until it is removed. */
  static void add(Runnable listener) {
    addToAll(SETS_FLAG); // before the listener looks at it
    addToAll(listener);
  }

  /** When nobody is left who wants them, the signals do again what they did before. */
  static void remove(Runnable listener) {
    if (removeFromAll(listener)) {
      removeFromAll(SETS_FLAG);
    }
  }

  private static void received() {
    requested = true;
  }

  private static void addToAll(Runnable action) {
    try {
      SIGNALS.forEach(signal -> JvmSignals.add(signal, action));
    } catch (IllegalStateException e) {
      removeFromAll(action);
      throw e;
    }
  }

  private static boolean removeFromAll(Runnable action) {
    boolean removed = false;
    for (String signal : SIGNALS) {
      removed |= JvmSignals.remove(signal, action);
    }
    return removed;
  }
}
