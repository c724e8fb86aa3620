package dev.fdfiber;

/** What time it is, for a scheduler. Asked by the driver and by fibers, one at a time. */
@FunctionalInterface
public interface Clock {
  /** The monotonic clock of this machine, {@code CLOCK_MONOTONIC}, clock_gettime(2). */
  static Clock system() {
    return SystemClock.INSTANCE;
  }

  /** Nanoseconds since an arbitrary but fixed point; never goes back. */
  long nanoTime();
}
