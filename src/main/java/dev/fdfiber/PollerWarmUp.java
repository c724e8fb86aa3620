package dev.fdfiber;

/**
 * The JDK's socket poller starts virtual threads when it is first used, and those inherit the
 * executor of the thread that does it: in a fiber they would depend on our driver for ever. So it
 * is used first in a thread of the default executor. In a class of its own, because a thread that
 * runs a lambda of a class waits for that class to be initialized.
 */
final class PollerWarmUp {
  private PollerWarmUp() {}

  /** Warms up at the first call; later ones return at once. */
  static void once() {
    Once.done();
  }

  private static final class Once {
    static {
      // From a platform thread: what a fiber starts inherits the fiber's executor.
      Thread platform = new Thread(PollerWarmUp::inVirtualThread, "fdfiber-warm-up");
      platform.setDaemon(true);
      platform.start();
      join(platform);
    }

    static void done() {}
  }

  private static void inVirtualThread() {
    join(Thread.ofVirtual().start(PollerWarmUp::initialize));
  }

  private static void initialize() {
    try {
      Class.forName("sun.nio.ch.Poller");
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException("a JDK without sun.nio.ch.Poller", e);
    }
  }

  private static void join(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
