package dev.fdfiber;

import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * What other threads submit, in the order of arrival: a {@link Task}, or the continuation of a
 * thread that a fiber started by itself. Lock-free, because the JDK submits from inside its own
 * locks.
 */
final class Inbox {
  private final ConcurrentLinkedQueue<Runnable> arrivals = new ConcurrentLinkedQueue<>();
  private final Waker waker;

  Inbox(Waker waker) {
    this.waker = waker;
  }

  /** Any thread: submits, and wakes the driver if it sleeps. False once the scheduler is closed. */
  boolean put(Runnable arrival) {
    if (!waker.enter()) {
      return false;
    }
    try {
      arrivals.add(arrival);
      waker.signalInside();
    } finally {
      waker.exit();
    }
    return true;
  }

  /** The driver: takes the next arrival, or null. */
  @Nullable Runnable take() {
    return arrivals.poll();
  }

  boolean isEmpty() {
    return arrivals.isEmpty();
  }

  /** Any thread: what is there now, weakly consistent. */
  Iterable<Runnable> peek() {
    return arrivals;
  }
}
