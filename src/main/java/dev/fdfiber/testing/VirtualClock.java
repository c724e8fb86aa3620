package dev.fdfiber.testing;

import dev.fdfiber.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Time that passes only when nothing else can happen: as a parameter of an {@link FdTest} it is the
 * clock of the test's scheduler. When no fiber is ready, nothing was submitted, a poll that does
 * not block shows nothing, and every descriptor that is waited for belongs to the test, it jumps
 * exactly to the next deadline. So an hour of pauses takes milliseconds.
 *
 * <p>It stands still while somebody outside the test may have something to say: a fiber waits for a
 * descriptor that was open before the test, for a timerfd, an inotify descriptor, a pidfd, signals,
 * a netlink socket, a device or a socket whose peer is elsewhere, or for what a child process may
 * have the other end of; or a {@code Blocking.call} runs. What it is tells {@link #heldBy}.
 *
 * <p>It starts near the end of the range of nanoseconds, so that deadlines wrap around.
 */
public final class VirtualClock implements Clock {
  private static final long START = Long.MAX_VALUE - 1_000_000_000L;

  private final AtomicLong now = new AtomicLong(START);
  private volatile @Nullable String holder;

  VirtualClock() {}

  /** The time of this clock. */
  @Override
  public long nanoTime() {
    return now.get();
  }

  /** How much time has passed on this clock since the test began. */
  public Duration elapsed() {
    return Duration.ofNanos(now.get() - START);
  }

  /**
   * Lets time pass; timers that are due by then expire in the next look. Any thread.
   *
   * @throws IllegalArgumentException if the time is negative
   */
  public void advance(Duration time) {
    if (time.isNegative()) {
      throw new IllegalArgumentException("time does not go back, but was to go on by " + time);
    }
    advanceNanos(time.toNanos());
  }

  void advanceNanos(long nanos) {
    now.addAndGet(nanos);
  }

  /** What held the clock the last time that it could have jumped; nothing if it jumped. */
  public Optional<String> heldBy() {
    return Optional.ofNullable(holder);
  }

  void heldBy(@Nullable String reason) {
    holder = reason;
  }

  @Override
  public String toString() {
    return "virtual clock at " + elapsed();
  }
}
