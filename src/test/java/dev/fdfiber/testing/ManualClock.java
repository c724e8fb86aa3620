package dev.fdfiber.testing;

import dev.fdfiber.Clock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that stands still until it is told to go on. It starts near the end of its range. */
public final class ManualClock implements Clock {
  // So that deadlines wrap around.
  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1_000_000_000L);

  @Override
  public long nanoTime() {
    return now.get();
  }

  public void advance(Duration time) {
    advanceNanos(time.toNanos());
  }

  public void advanceNanos(long nanos) {
    now.addAndGet(nanos);
  }
}
