package dev.fdfiber.testing;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A limit on real time: when it is over, a dump is taken, and the thread is interrupted until it
 * comes back.
 */
final class TimeLimit implements AutoCloseable {
  static final String THREAD = "fdfiber-test-limit";

  private final Duration limit;
  private final Thread thread;
  private final Supplier<String> dump;
  private final ScheduledFuture<?> task;
  private volatile @Nullable String message;
  private volatile boolean closed;

  /** Starts the time of the calling thread. */
  TimeLimit(Duration limit, Supplier<String> dump) {
    this.limit = limit;
    this.dump = dump;
    this.thread = Thread.currentThread();
    this.task =
        Timer.EXECUTOR.scheduleAtFixedRate(
            this::over, limit.toMillis(), 1000, TimeUnit.MILLISECONDS);
  }

  private synchronized void over() {
    if (closed) {
      return;
    }
    if (message == null) {
      String text = "the test took longer than " + limit.toSeconds() + " s of real time\n";
      try {
        message = text + dump.get();
      } catch (RuntimeException | Error e) { // or the interrupts would end
        message = text + "no dump: " + e;
      }
      System.getLogger("dev.fdfiber").log(System.Logger.Level.ERROR, message);
    }
    thread.interrupt();
  }

  /** What to tell, or null if the time is not over. */
  @Nullable String message() {
    return message;
  }

  /** Ends it; the interrupt was meant for the test, and goes with it. */
  @Override
  public void close() {
    task.cancel(false);
    synchronized (this) {
      closed = true;
      if (message != null) {
        Thread.interrupted();
      }
    }
  }

  private static final class Timer {
    static final ScheduledThreadPoolExecutor EXECUTOR =
        new ScheduledThreadPoolExecutor(
            1, task -> Thread.ofPlatform().daemon().name(THREAD).unstarted(task));

    static {
      EXECUTOR.setRemoveOnCancelPolicy(true);
    }
  }
}
