package dev.fdfiber.fd;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Fiber;
import dev.fdfiber.FiberBody;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Waits for the first of several: descriptors, a time, futures, queues. Each case says what to make
 * of it; when {@link #await} returns, nothing is left of the others anywhere.
 *
 * <p>Of several that are there at once, an item of a queue or a finished future comes first, then
 * the descriptors, in the order in which they were added. Where two queues give an item at the same
 * time, the second item is what the next {@code await} returns; so for several queues keep the
 * object. For one user at a time; it holds nothing of the system between two waits.
 *
 * @param <R> what the cases make
 */
public final class Select<R> {
  /** What to make of what came. */
  @FunctionalInterface
  public interface Then<T, R> {
    /** Runs in the caller of {@link Select#await}, once nothing waits any more. */
    R apply(T value) throws IOException;
  }

  /** A way to make the result, once it is known which case it is. */
  private interface Outcome<R> {
    R make() throws IOException;
  }

  private record FdCase<R>(int fd, int mode, Then<Integer, R> then) {}

  /** Something of the JDK's to wait for. */
  private interface JdkCase<R> {
    /** What there is already, or null. */
    @Nullable Outcome<R> poll();

    /** Waits for it. */
    Outcome<R> await() throws InterruptedException;
  }

  private final List<FdCase<R>> fdCases = new ArrayList<>();
  private final List<JdkCase<R>> jdkCases = new ArrayList<>();
  private final Queue<Outcome<R>> left = new ArrayDeque<>();
  private Duration timeout = Deadline.NEVER;
  private @Nullable Then<Duration, R> late;

  /** Without cases. */
  public Select() {}

  /** A descriptor that can be read, or is at its end or in error: the call that follows tells. */
  public Select<R> readable(int fd, Then<Integer, R> then) {
    fdCases.add(new FdCase<>(fd, Scheduler.READ, then));
    return this;
  }

  /** A descriptor that can be written, or is in error. */
  public Select<R> writable(int fd, Then<Integer, R> then) {
    fdCases.add(new FdCase<>(fd, Scheduler.WRITE, then));
    return this;
  }

  /** A future that is done, well or not: its {@code join} does not wait any more. */
  public <T> Select<R> completed(CompletableFuture<T> future, Then<CompletableFuture<T>, R> then) {
    jdkCases.add(
        new JdkCase<>() {
          @Override
          public @Nullable Outcome<R> poll() {
            return future.isDone() ? () -> then.apply(future) : null;
          }

          @Override
          public Outcome<R> await() throws InterruptedException {
            try {
              future.get();
            } catch (ExecutionException | RuntimeException e) {
              // Done too; who applies it is told.
            }
            return () -> then.apply(future);
          }
        });
    return this;
  }

  /** An item of a queue, taken from it if this case is the first. */
  public <T> Select<R> taken(BlockingQueue<T> queue, Then<T, R> then) {
    jdkCases.add(
        new JdkCase<>() {
          @Override
          public @Nullable Outcome<R> poll() {
            T item = queue.poll();
            return item == null ? null : () -> then.apply(item);
          }

          @Override
          public Outcome<R> await() throws InterruptedException {
            T item = queue.take();
            return () -> then.apply(item);
          }
        });
    return this;
  }

  /** A time after the call of {@link #await}, if nothing else came; the last one counts. */
  public Select<R> after(Duration time, Then<Duration, R> then) {
    this.timeout = time.isNegative() ? Duration.ZERO : time;
    this.late = then;
    return this;
  }

  /**
   * Suspends until the first of the cases; without one of them, for ever.
   *
   * @return what that case made
   * @throws ErrnoException {@code EBADF} if a descriptor is not open, or was closed meanwhile;
   *     {@code EMFILE}, {@code ENFILE}, eventfd(2) ERRORS, since futures and queues take one
   * @throws InterruptedIOException if the fiber is cancelled and no case came; its status stays set
   */
  public R await() throws IOException {
    Outcome<R> first = left.poll();
    for (int i = 0; first == null && i < jdkCases.size(); i++) {
      first = jdkCases.get(i).poll();
    }
    return (first != null ? first : await(jdkCases.isEmpty())).make();
  }

  private Outcome<R> await(boolean onlyFds) throws IOException {
    if (onlyFds) {
      return outcome(seen(-1));
    }
    try (EventFd signal = EventFd.counter(0)) {
      List<Helper<R>> helpers = new ArrayList<>();
      int[] seen;
      try {
        for (JdkCase<R> each : jdkCases) {
          helpers.add(new Helper<>(each, signal));
        }
        seen = seen(signal.fd());
      } catch (InterruptedIOException e) {
        // A wait that is over wins over the cancel.
        endAll(helpers);
        Outcome<R> over = left.poll();
        if (over == null) {
          throw e;
        }
        return over;
      } finally {
        endAll(helpers);
      }
      Outcome<R> first = left.poll();
      return first != null ? first : outcome(seen);
    }
  }

  /** Ends what waits, and keeps what it has got. */
  private void endAll(List<Helper<R>> helpers) {
    helpers.forEach(Helper::interrupt);
    for (Helper<R> helper : helpers) {
      Outcome<R> got = helper.end();
      if (got != null) {
        left.add(got);
      }
    }
    helpers.clear();
  }

  private int[] seen(int signalFd) throws IOException {
    int count = fdCases.size() + (signalFd < 0 ? 0 : 1);
    int[] fds = new int[count];
    int[] modes = new int[count];
    for (int i = 0; i < fdCases.size(); i++) {
      fds[i] = fdCases.get(i).fd;
      modes[i] = fdCases.get(i).mode;
    }
    if (signalFd >= 0) {
      fds[count - 1] = signalFd;
      modes[count - 1] = Scheduler.READ;
    }
    try {
      return Scheduler.ioWaitAny(fds, modes, timeout);
    } catch (InterruptedException e) {
      throw Fd.cancelled("select", e);
    }
  }

  private Outcome<R> outcome(int[] seen) throws IOException {
    for (int i = 0; i < fdCases.size(); i++) {
      FdCase<R> each = fdCases.get(i);
      if (seen[i] < 0) {
        throw new ErrnoException("select", each.fd, Errno.EBADF);
      }
      if (seen[i] != 0) {
        return () -> each.then.apply(each.fd);
      }
    }
    Then<Duration, R> then = late;
    if (then == null) {
      throw new AssertionError("a wait without end is over, and nobody knows why");
    }
    return () -> then.apply(timeout);
  }

  /** Waits for one case of the JDK's, in a fiber or a virtual thread, and gives a sign. */
  private static final class Helper<R> {
    private final Thread thread;
    private final @Nullable Fiber fiber;
    private volatile @Nullable Outcome<R> got;

    Helper(JdkCase<R> what, EventFd signal) {
      FiberBody body =
          () -> {
            try {
              got = what.await();
              signal.add(1);
            } catch (InterruptedException | InterruptedIOException e) {
              // another was the first, and whoever ends this looks what it has got
            }
          };
      if (Scheduler.inFiber()) {
        fiber = Scheduler.current().spawn("select", body);
        thread = fiber.thread();
      } else {
        fiber = null;
        thread = Thread.ofVirtual().name("select").start(() -> run(body));
      }
    }

    private static void run(FiberBody body) {
      try {
        body.run();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }

    void interrupt() {
      if (fiber != null) {
        fiber.cancel();
      } else {
        thread.interrupt();
      }
    }

    /** Waits for its end, which comes at once, also when the caller is cancelled. */
    @Nullable Outcome<R> end() {
      boolean cancelled = false;
      while (true) {
        try {
          if (fiber != null) {
            fiber.join();
          } else {
            thread.join();
          }
          break;
        } catch (InterruptedException e) {
          cancelled = true;
        }
      }
      if (cancelled) {
        Thread.currentThread().interrupt();
      }
      return got;
    }
  }
}
