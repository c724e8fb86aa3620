package dev.fdfiber;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The platform threads behind {@link Blocking}: one pool for the JVM, made at the first call. */
final class BlockingThreads {
  private static final int DEFAULT = 16;

  private BlockingThreads() {}

  static void execute(Runnable offload) {
    Pool.POOL.execute(offload);
  }

  /** Takes a call back that was cancelled before it began. */
  static void forget(Runnable offload) {
    Pool.POOL.remove(offload);
  }

  /** How busy they are. Any thread. */
  static String describe() {
    ThreadPoolExecutor pool = Pool.POOL;
    return "%d of %d are busy, %d calls wait"
        .formatted(pool.getActiveCount(), pool.getMaximumPoolSize(), pool.getQueue().size());
  }

  private static final class Pool {
    static final ThreadPoolExecutor POOL = make();

    private static ThreadPoolExecutor make() {
      int threads = Math.max(1, Integer.getInteger(Blocking.THREADS_PROPERTY, DEFAULT));
      AtomicInteger made = new AtomicInteger();
      ThreadPoolExecutor pool =
          new ThreadPoolExecutor(
              threads,
              threads,
              10,
              TimeUnit.SECONDS,
              new LinkedBlockingQueue<>(),
              task ->
                  Thread.ofPlatform()
                      .daemon()
                      .name("fdfiber-blocking-" + made.incrementAndGet())
                      .unstarted(task));
      pool.allowCoreThreadTimeOut(true);
      return pool;
    }
  }
}
