package dev.fdfiber.testing;

import dev.fdfiber.Clock;
import java.time.Duration;

/** A clock that stands still until it is told to go on. It starts near the end of its range. */
public final class ManualClock implements Clock {
  private volatile long now = Long.MAX_VALUE - 1_000_000_000L; // so that deadlines wrap around

  @Override
  public long nanoTime() {
    return now;
  }

  public void advance(Duration time) {
    advanceNanos(time.toNanos());
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // one thread advances, others may look
  public void advanceNanos(long nanos) {
    now += nanos;
  }
}
