package dev.fdfiber;

import java.time.Duration;
import java.util.Optional;

/**
 * A virtual thread that is carried by the driver of its {@link Scheduler}. This is its handle; it
 * may be used by any thread.
 */
public final class Fiber {
  /** What a fiber does. */
  public enum State {
    /** Can go on and waits for its turn. */
    READY,
    /** Runs now. */
    RUNNING,
    /** In {@link Scheduler#pause}. */
    PAUSED,
    /** In {@link Scheduler#ioWait} or {@code ioWaitAny}. */
    WAITING_IO,
    /** In a blocking call of the JDK, in {@link Fiber#join}, or driving others. */
    BLOCKED,
    /** Has ended. */
    DONE
  }

  private static final long GIVEN_UP_NANOS = 1_000_000_000L;

  private final Task task;

  Fiber(Task task) {
    this.task = task;
  }

  /**
   * The calling fiber.
   *
   * @throws IllegalStateException outside a fiber
   */
  public static Fiber current() {
    Task task = Task.current();
    if (task == null) {
      throw new IllegalStateException(
          Thread.currentThread() + " is no fiber; see Scheduler.inFiber()");
    }
    return task.fiber;
  }

  /** A number that no other fiber of its scheduler has; later ones are greater. */
  public long id() {
    return task.id;
  }

  /**
   * The name that it was spawned with; for a thread that a fiber started by itself, the thread's;
   * {@code fiber-} and its id where there is none.
   */
  public String name() {
    return task.name();
  }

  /** What it does now; elsewhere than on the driver, what it did a moment ago. */
  public State state() {
    return task.state();
  }

  /**
   * Its virtual thread.
   *
   * @throws IllegalStateException if it is a thread that another fiber started by itself, and this
   *     JDK does not tell which before it has called this library
   */
  public Thread thread() {
    Thread thread = task.thread;
    if (thread == null) {
      throw new IllegalStateException("the thread of " + this + " is not known");
    }
    return thread;
  }

  /**
   * What it does, for what and until when: exact on the driver, and in any other thread as it was a
   * moment ago. Does not suspend.
   */
  public FiberInfo info() {
    return Snapshot.info(task, task.loop.clock.nanoTime());
  }

  /** If it has not ended. */
  public boolean isAlive() {
    return task.state() != State.DONE;
  }

  /**
   * Interrupts its thread: a wait that it is in, or else its next one, throws InterruptedException,
   * or InterruptedIOException in a channel. A wait that is already over is not undone. A fiber that
   * has not started yet runs up to its first wait; one in a {@link FiberScope#shield} goes on to
   * its end. Does not suspend.
   */
  public void cancel() {
    task.loop.cancel(task);
  }

  /**
   * Waits until it has ended. Suspends in a fiber; on the thread that drives its scheduler it
   * drives; elsewhere it blocks, and as long as nobody drives the scheduler nothing ends.
   *
   * @throws InterruptedException if the caller is cancelled or interrupted
   * @throws IllegalStateException if a fiber would wait for itself, or is pinned
   */
  public void join() throws InterruptedException {
    join(Times.FOREVER);
  }

  /**
   * Like {@link #join()}, for at most the given time: by the scheduler's clock in its fibers and on
   * its driver, in real time elsewhere. Zero or less does not wait.
   *
   * @return if it has ended
   * @throws InterruptedException if the caller is cancelled or interrupted
   * @throws IllegalStateException if a fiber would wait for itself, or is pinned
   */
  public boolean join(Duration limit) throws InterruptedException {
    return join(Times.limitNanos(limit));
  }

  boolean join(long nanos) throws InterruptedException {
    Task me = Task.current();
    if (me == task) {
      throw new IllegalStateException("fiber " + name() + " would wait for its own end");
    }
    if (me != null && me.loop == task.loop) {
      return Parking.join(me, task, nanos);
    }
    Driver driver = task.loop.scheduler.driver();
    if (!driver.isDrivenBy(Thread.currentThread())) {
      return joinElsewhere(nanos);
    }
    boolean ended = driver.runUntilDone(task, nanos);
    if (Thread.interrupted()) {
      throw new InterruptedException("interrupted while waiting for fiber " + name());
    }
    return ended || (!driver.isDrivenBy(Thread.currentThread()) && joinElsewhere(nanos));
  }

  /** Waits for the thread, and looks now and then if the fiber was given up: then it never ends. */
  private boolean joinElsewhere(long nanos) throws InterruptedException {
    long start = SystemClock.INSTANCE.nanoTime();
    while (isAlive()) {
      long passed = SystemClock.INSTANCE.nanoTime() - start;
      long left = nanos < 0 ? Times.FOREVER : Math.max(0, nanos - passed);
      if (left == 0) {
        return false;
      }
      thread().join(Duration.ofNanos(Times.shorter(left, GIVEN_UP_NANOS)));
    }
    return true;
  }

  /**
   * What its body threw, once it has ended; an InterruptedException too. Not what a child of a
   * {@link FiberScope} threw, which its future has, unless it went to {@code onUncaught}. A thread
   * that a fiber started by itself tells only what no handler of its own has taken.
   */
  public Optional<Throwable> failure() {
    return Optional.ofNullable(task.failure);
  }

  @Override
  public String toString() {
    return "fiber " + name() + " (" + state() + ")";
  }
}
