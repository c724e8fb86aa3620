package dev.fdfiber.testing;

import dev.fdfiber.Clock;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The machine's time, but for what was skipped: at the end of a test nobody waits for a fiber that
 * is stuck for good.
 */
final class RealTime implements Clock {
  private final AtomicLong skipped = new AtomicLong();

  @Override
  public long nanoTime() {
    return Clock.system().nanoTime() + skipped.get();
  }

  void skip(long nanos) {
    skipped.addAndGet(nanos);
  }
}
