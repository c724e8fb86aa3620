package dev.fdfiber.sock;

import dev.fdfiber.Clock;
import dev.fdfiber.Scheduler;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How much is left of a limit. Its time runs from the first question. */
final class Deadline {
  static final Deadline NONE = new Deadline(Duration.ofSeconds(-1));

  private final Duration limit;
  private @Nullable Clock clock;
  private long start;

  /** A negative limit has no end. */
  Deadline(Duration limit) {
    this.limit = limit;
  }

  Duration limit() {
    return limit;
  }

  /** Negative is without end. */
  Duration left() {
    if (limit.isNegative()) {
      return limit;
    }
    if (clock == null) {
      clock = Scheduler.inFiber() ? Scheduler.current().clock() : Clock.system();
      start = clock.nanoTime();
    }
    Duration left = limit.minusNanos(clock.nanoTime() - start);
    return left.isNegative() ? Duration.ZERO : left;
  }
}
