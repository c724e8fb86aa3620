package dev.fdfiber;

import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

/**
 * Takes out of a fiber what would hold its driver: a name lookup, a regular file on a slow disk, a
 * native library. Whatever parks a fiber by itself needs none of this.
 *
 * <p>The platform threads that run it are the JVM's: {@value #THREADS_PROPERTY} of them at most, 16
 * unless that system property says otherwise. They are made when needed, are daemons, and end after
 * ten idle seconds. When all are busy a call waits for its turn, first in, first out; {@link
 * Scheduler#dump} tells of that.
 */
public final class Blocking {
  /** The system property that says how many threads there are at most. */
  public static final String THREADS_PROPERTY = "dev.fdfiber.blocking.threads";

  private Blocking() {}

  /**
   * Calls the body in a platform thread while the calling fiber is parked; outside a fiber calls it
   * where it is. The body sees neither the fiber's thread-locals nor its scoped values, and is no
   * fiber.
   *
   * @return what the body returns
   * @throws InterruptedException if the fiber is cancelled, at once. A body that runs is
   *     interrupted, and what comes of it is lost; one that has not begun never does. In a {@link
   *     FiberScope#shield} the fiber waits on
   * @throws Exception what the body throws
   */
  public static <T> T call(Callable<T> body) throws Exception {
    Objects.requireNonNull(body, "body");
    Task task = Task.current();
    if (task == null) {
      return body.call();
    }
    Offload<T> offload = new Offload<>(body);
    task.loop.offloads.put(task, offload);
    try {
      BlockingThreads.execute(offload);
      return result(task, offload);
    } finally {
      task.loop.offloads.remove(task);
    }
  }

  private static <T> T result(Task task, Offload<T> offload) throws Exception {
    while (true) {
      try {
        return offload.get();
      } catch (InterruptedException e) {
        if (!Parking.isDeferred(task)) {
          offload.cancel(true);
          BlockingThreads.forget(offload);
          throw e;
        }
      } catch (ExecutionException e) {
        throw thrown(Objects.requireNonNull(e.getCause(), "a body that threw"));
      }
    }
  }

  private static Exception thrown(Throwable t) {
    if (t instanceof Error error) {
      throw error;
    }
    return t instanceof Exception e ? e : new IllegalStateException(t);
  }
}
