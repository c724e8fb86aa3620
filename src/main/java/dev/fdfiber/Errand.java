package dev.fdfiber;

import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Something that another thread wants done on the driver, between two resumes, where every fiber
 * stands still: it goes through the inbox. While nobody drives, the thread does it itself, and
 * keeps drivers out for so long. The order of resumes does not change by it.
 */
final class Errand<T> extends FutureTask<T> {
  /** How long a driver may take to come between two resumes. */
  static final long PATIENCE_NANOS = 1_000_000_000L;

  /** How long a driver that is about to end its call may keep an errand that it will not do. */
  private static final long SLICE_NANOS = 2_000_000L;

  private volatile boolean begun;

  private Errand(Supplier<T> body) {
    super(body::get);
  }

  /**
   * Has it done; in a fiber of the scheduler, at once and here. Any thread; suspends a fiber of
   * another scheduler.
   *
   * @param limitNanos how long the driver may take to come to it, in real time
   * @return empty if it did not, because a fiber holds it, or if the scheduler was closed
   */
  static <T> Optional<T> run(Loop loop, Driver driver, Supplier<T> body, long limitNanos) {
    Errand<T> errand = new Errand<>(body);
    if (loop.isOnDriver()) {
      errand.run();
    } else if (!driver.visit(errand) && !errand.wasTaken(loop, driver, limitNanos)) {
      return Optional.empty();
    }
    return Optional.of(errand.result());
  }

  private boolean wasTaken(Loop loop, Driver driver, long limitNanos) {
    if (!loop.inbox.put(this)) {
      return false;
    }
    long start = SystemClock.INSTANCE.nanoTime();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          get(SLICE_NANOS, TimeUnit.NANOSECONDS);
          return true;
        } catch (TimeoutException e) {
          boolean late = SystemClock.INSTANCE.nanoTime() - start >= limitNanos;
          if (late && !begun && cancel(false)) {
            return false;
          }
          driver.visit(this); // a second run of it does nothing
        } catch (ExecutionException e) {
          return true;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void run() {
    begun = true;
    super.run();
  }

  private T result() {
    if (state() != State.SUCCESS) {
      throw new IllegalStateException("an errand on the driver failed", exceptionNow());
    }
    return resultNow();
  }
}
