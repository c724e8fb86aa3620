package dev.fdfiber;

import java.util.List;

/**
 * Takes the decisions that the contract leaves to a scheduler's loop: what a test harness is built
 * on, together with an {@link Observer}, see {@code dev.fdfiber.testing}. The defaults change
 * nothing.
 *
 * <p>Every method is called on the driver, or in the fiber that runs on it, so one at a time. None
 * may suspend, drive, or call back into the scheduler but for its snapshots, and {@link #idle}
 * alone may throw: that comes out of the driving call.
 */
public interface Steering {
  /**
   * Which of the ready fibers goes on, R2.
   *
   * @param ready at least two, in the order in which they became ready; valid during the call only
   * @return an index into it; 0 is first in, first out
   */
  default int choose(List<Fiber> ready) {
    return 0;
  }

  /** If the loop is to look for readiness and timers now, though fibers are ready, R3. */
  default boolean looksEarly() {
    return false;
  }

  /**
   * Nothing can go on: no fiber is ready, nothing was submitted, and a poll that did not block
   * showed nothing. Only a timer, a descriptor or another thread can change that.
   *
   * @param timerNanos from now to the earliest timer of a fiber; negative if there is none
   * @param limitNanos how long the driving call waits at most; negative is without end
   * @return true to look again at once, because the clock was moved; false to block
   */
  default boolean idle(long timerNanos, long limitNanos) {
    return false;
  }

  /**
   * How long a look that follows blocks at most before {@link #idle} is asked again; negative is
   * without end.
   */
  default long idleAgainNanos() {
    return Times.FOREVER;
  }
}
