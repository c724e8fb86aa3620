package dev.fdfiber.fd;

import dev.fdfiber.Clock;
import dev.fdfiber.Scheduler;
import java.time.Duration;

/** The end of a timeout, on the clock of the caller's scheduler; one without end takes no time. */
final class Deadline {
  static final Duration NEVER = Duration.ofSeconds(-1);

  private static final Duration LONGEST = Duration.ofDays(146L * 365);

  private final Duration timeout;
  private final long startNanos;

  private Deadline(Duration timeout) {
    this.timeout = timeout;
    this.startNanos = isEndless() || timeout.isZero() ? 0 : clock().nanoTime();
  }

  static Deadline in(Duration timeout) {
    return new Deadline(timeout);
  }

  /** What is left; negative if it has no end. */
  Duration left() {
    if (isEndless() || timeout.isZero()) {
      return timeout;
    }
    Duration left = timeout.minusNanos(clock().nanoTime() - startNanos);
    return left.isNegative() ? Duration.ZERO : left;
  }

  private boolean isEndless() {
    return timeout.isNegative() || timeout.compareTo(LONGEST) > 0;
  }

  private static Clock clock() {
    return Scheduler.inFiber() ? Scheduler.current().clock() : Clock.system();
  }
}
