package dev.fdfiber;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Watches what a scheduler does: {@link Scheduler#attach} adds one while it runs. The defaults do
 * nothing.
 *
 * <p>Every method but {@link #held} is called on the driver, or in the fiber that runs on it, so
 * one at a time. None may suspend, drive, or spawn, and each holds up every fiber while it runs.
 * One that throws is reported and gets detached; the scheduler goes on.
 *
 * <p>An observer that is attached in the middle misses how things began: it is told of fibers whose
 * spawn it never saw. Times are those of the scheduler's {@link Clock}.
 */
public interface Observer {
  /** A fiber is known to the loop; {@link #ready} follows. */
  default void spawned(Fiber fiber, long nanos) {}

  /**
   * A fiber can go on and was queued. A fiber that yields is not told of here, but in {@link
   * #left}.
   *
   * @param by the fiber that ran then, or has just ended, and woke it; null if a look or another
   *     thread did
   */
  default void ready(Fiber fiber, @Nullable Fiber by, long nanos) {}

  /**
   * A fiber is about to run.
   *
   * @param readyNanos since when it was ready; before the first event that this observer was told
   *     of only as exact as {@link FiberInfo#nanosInState}
   */
  default void resumes(Fiber fiber, long readyNanos, long nanos) {}

  /**
   * The fiber that ran has left the driver; or, DONE, one that did not end when the scheduler
   * closed was given up.
   *
   * @param state READY after a yield, BLOCKED in a call of the JDK, in one of this library's waits,
   *     or DONE
   * @param fd the descriptor that it waits for, if it does and there is but one, else -1; {@link
   *     Fiber#info} tells all of them, and until when
   * @param mode READ, WRITE or both, with {@code fd}; otherwise 0
   */
  default void left(Fiber fiber, Fiber.State state, int fd, int mode, long nanos) {}

  /**
   * The loop has looked for readiness and timers.
   *
   * @param resumed how many resumes there were since the look before this one
   * @param woken how many fibers became ready by it
   * @param startNanos when it began; it may have blocked since
   */
  default void looked(int resumed, int woken, long startNanos, long nanos) {}

  /** The loop asks for readiness in another way from now on. */
  default void pollerSwitched(PollerKind kind, long nanos) {}

  /**
   * A fiber runs for longer than {@link Scheduler.Builder#heldLimit} without parking, and has not
   * left yet. Called once for each time that happens, by a thread of the library.
   *
   * @param heldNanos for how long at least, in real time
   * @param stack what it does now
   */
  default void held(Fiber fiber, long heldNanos, List<StackTraceElement> stack) {}
}
