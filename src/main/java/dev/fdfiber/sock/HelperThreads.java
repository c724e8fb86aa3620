package dev.fdfiber.sock;

import dev.fdfiber.Scheduler;
import java.io.InterruptedIOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** A few platform threads for what would block a fiber's driver; the fiber parks meanwhile. */
final class HelperThreads {
  private static final int THREADS = 4;

  private HelperThreads() {}

  /** Runs it on one of the threads for a fiber, else where the caller is. */
  static <T> T call(String what, Callable<T> body)
      throws ExecutionException, InterruptedIOException {
    if (!Scheduler.inFiber()) {
      try {
        return body.call();
      } catch (Exception e) {
        throw new ExecutionException(e);
      }
    }
    Future<T> result = Pool.POOL.submit(body);
    try {
      return result.get();
    } catch (InterruptedException e) {
      result.cancel(true);
      throw Io.cancelled(what, 0, e);
    }
  }

  private static final class Pool {
    static final ThreadPoolExecutor POOL = make();

    private static ThreadPoolExecutor make() {
      ThreadPoolExecutor pool =
          new ThreadPoolExecutor(
              THREADS,
              THREADS,
              10,
              TimeUnit.SECONDS,
              new LinkedBlockingQueue<>(),
              task -> Thread.ofPlatform().daemon().name("fdfiber-helper").unstarted(task));
      pool.allowCoreThreadTimeOut(true);
      return pool;
    }
  }
}
