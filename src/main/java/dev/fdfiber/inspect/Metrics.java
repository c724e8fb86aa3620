package dev.fdfiber.inspect;

import dev.fdfiber.Fiber;
import dev.fdfiber.Observer;
import dev.fdfiber.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Counts what a scheduler does, from {@link #of} until {@link #close}. Allocates nothing while it
 * counts, and reads the clock twice for each resume, or so.
 */
public final class Metrics implements AutoCloseable {
  // What is counted.
  private static final int RESUMES = 0;
  private static final int READY = 1;
  private static final int SPAWNED = 2;
  private static final int ENDED = 3;
  private static final int LOOKS = 4;
  private static final int POLL_NANOS = 5;
  private static final int BUSY_NANOS = 6;
  private static final int LONGEST_TURN_NANOS = 7;
  private static final int PEAK_ALIVE = 8;
  private static final int COUNTERS = 9;

  private final Scheduler scheduler;
  private final Counters counters = new Counters(COUNTERS);
  private final Histogram.Recorder readyToResume = new Histogram.Recorder();
  private final Observer observer = new Counting();

  private Metrics(Scheduler scheduler) {
    this.scheduler = scheduler;
    counters.raise(PEAK_ALIVE, scheduler.aliveCount());
  }

  /**
   * Begins to count what a scheduler does. Any thread; does not suspend.
   *
   * @throws IllegalStateException if it is closed
   */
  public static Metrics of(Scheduler scheduler) {
    Metrics metrics = new Metrics(scheduler);
    scheduler.attach(metrics.observer);
    return metrics;
  }

  /** What was counted so far. Any thread; does not suspend. */
  public MetricsSnapshot snapshot() {
    long spawned = counters.get(SPAWNED);
    return new MetricsSnapshot(
        counters.get(RESUMES),
        Math.max(0, counters.get(READY) - spawned),
        spawned,
        counters.get(ENDED),
        counters.get(LOOKS),
        counters.get(POLL_NANOS),
        counters.get(BUSY_NANOS),
        counters.get(LONGEST_TURN_NANOS),
        scheduler.aliveCount(),
        (int) counters.get(PEAK_ALIVE),
        scheduler.info().poller(),
        readyToResume.histogram());
  }

  /** The scheduler whose doings are counted. */
  public Scheduler scheduler() {
    return scheduler;
  }

  /** Ends the counting; what was counted can still be read. Any thread; does not suspend. */
  @Override
  public void close() {
    scheduler.detach(observer);
  }

  // ---- the driver counts, any thread reads

  private final class Counting implements Observer {
    private long resumedNanos;
    private boolean hasResumed;

    @Override
    public void spawned(Fiber fiber, long nanos) {
      counters.add(SPAWNED, 1);
      counters.raise(PEAK_ALIVE, scheduler.aliveCount());
    }

    @Override
    public void ready(Fiber fiber, @Nullable Fiber by, long nanos) {
      counters.add(READY, 1);
    }

    @Override
    public void resumes(Fiber fiber, long readyNanos, long nanos) {
      counters.add(RESUMES, 1);
      readyToResume.record(nanos - readyNanos);
      resumedNanos = nanos;
      hasResumed = true;
    }

    @Override
    public void left(Fiber fiber, Fiber.State state, int fd, int mode, long nanos) {
      if (hasResumed) {
        hasResumed = false;
        long turn = nanos - resumedNanos;
        counters.add(BUSY_NANOS, turn);
        counters.raise(LONGEST_TURN_NANOS, turn);
      }
      if (state == Fiber.State.DONE) {
        counters.add(ENDED, 1);
      }
    }

    @Override
    public void looked(int resumed, int woken, long startNanos, long nanos) {
      counters.add(LOOKS, 1);
      counters.add(POLL_NANOS, nanos - startNanos);
    }
  }
}
