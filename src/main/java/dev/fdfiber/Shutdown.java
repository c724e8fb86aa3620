package dev.fdfiber;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * How a scheduler ends: every fiber is cancelled and driven to its end, within a limit, and then
 * what the scheduler holds is freed.
 *
 * <p>Any platform thread may close. From then on new fibers and other drivers are refused; a thread
 * that drives is asked to stop and waited for, and then the closing thread drives in its place. A
 * thread that claims the place of the driver looks for that before and after, so one of the two
 * sees the other.
 */
final class Shutdown {
  private static final long LIMIT_NANOS = 5_000_000_000L;
  private static final long RECANCEL_NANOS = LIMIT_NANOS / 4;

  private final Loop loop;
  private final Driver driver;
  private final String name;
  private final ReentrantLock closing = new ReentrantLock();

  private volatile @Nullable Thread closer;
  private volatile boolean begun;
  private volatile boolean closed;

  Shutdown(Loop loop, Driver driver, String name) {
    this.loop = loop;
    this.driver = driver;
    this.name = name;
  }

  boolean isClosed() {
    return closed;
  }

  /** If new fibers and driving calls are refused. */
  boolean hasBegun() {
    return begun;
  }

  /** If a thread is closing this now. */
  boolean isBy(Thread thread) {
    return closer == thread;
  }

  /** Refuses what would start a fiber, or drive, once the scheduler is being closed. */
  void requireOpen() {
    if (begun) {
      throw new IllegalStateException(loop.closedMessage());
    }
  }

  /** The driver is gone: whoever waits for that can go on. */
  void driverIsGone(Thread me) {
    Thread waiting = closer;
    if (waiting != null && waiting != me) {
      LockSupport.unpark(waiting);
    }
  }

  void clear() {
    refuseInFiber("clear");
    requireOpen();
    driver.drive(caller -> cancelAll());
  }

  void close() {
    refuseInFiber("close");
    closing.lock();
    try {
      if (!closed) {
        closeOnce();
      }
    } finally {
      closing.unlock();
    }
  }

  private void closeOnce() {
    Thread me = Thread.currentThread();
    closer = me;
    begun = true;
    try {
      if (me.isVirtual()) {
        requireNothingToEnd(me);
      } else {
        endAll(me);
      }
      closed = true;
    } finally {
      begun = closed;
      closer = null;
    }
    loop.free();
  }

  private void requireNothingToEnd(Thread me) {
    if (loop.registry.aliveCount() > 0 || loop.driver != null) {
      throw new IllegalStateException(
          name + " has fibers to end, which takes a platform thread; " + me + " is virtual");
    }
  }

  private void endAll(Thread me) {
    awaitDriver();
    loop.driverInterrupted = false; // that was the other thread's
    driver.drive(caller -> cancelAll());
    loop.waker.refuse();
    if (!loop.inbox.isEmpty() || loop.registry.knownCount() > 0) {
      driver.drive(caller -> cancelAll()); // what had been let in before that
    }
    assert closer == me;
  }

  /** Asks the thread that drives to stop, and waits until it has. */
  void awaitDriver() {
    long start = SystemClock.INSTANCE.nanoTime();
    boolean interruptedHere = false;
    for (Thread now; (now = loop.driver) != null; ) {
      long left = LIMIT_NANOS - (SystemClock.INSTANCE.nanoTime() - start);
      if (left <= 0) {
        throw new IllegalStateException(
            name
                + " cannot be closed: "
                + now
                + " drives it and has not come back for "
                + LIMIT_NANOS / 1e9
                + " s; a fiber holds it");
      }
      driver.stop();
      LockSupport.parkNanos(this, Math.min(left, 10_000_000L));
      interruptedHere |= Thread.interrupted();
    }
    if (interruptedHere) {
      Thread.currentThread().interrupt();
    }
  }

  /** Cancels every fiber and drives until all have ended, or the limit is up. */
  private long cancelAll() {
    Set<Task> told = new HashSet<>();
    long registrations = -1;
    boolean wasInterrupted = false;
    long start = SystemClock.INSTANCE.nanoTime();
    long clockStart = loop.clock.nanoTime();
    long nextRound = RECANCEL_NANOS;
    while (true) {
      loop.takeArrivals();
      if (driver.isFinished()) {
        break;
      }
      // On a clock that can jump, or stand still, whichever says that more time has passed.
      long passed =
          Math.max(SystemClock.INSTANCE.nanoTime() - start, loop.clock.nanoTime() - clockStart);
      if (passed >= LIMIT_NANOS) {
        giveUp();
        break;
      }
      if (passed >= nextRound) {
        told.clear(); // a cancel that was swallowed is repeated
        registrations = -1;
        nextRound = passed + RECANCEL_NANOS;
      }
      if (registrations != loop.registry.registrations()) {
        registrations = loop.registry.registrations();
        loop.tasks().stream().filter(told::add).forEach(loop::cancel);
      }
      loop.lookIfDue(Math.max(0, Math.min(nextRound, LIMIT_NANOS) - passed));
      loop.resumeBatch();
      wasInterrupted |= loop.driverInterrupted;
      loop.driverInterrupted = false; // neither may turn the wait for the fibers into a spin
      loop.stopRequested = false;
    }
    loop.driverInterrupted |= wasInterrupted;
    return 0;
  }

  private void giveUp() {
    for (Task task : loop.tasks()) {
      Reports.swallowsCancel(task, LIMIT_NANOS / 1e9);
      loop.abandon(task);
    }
  }

  private void refuseInFiber(String call) {
    Task task = Task.current();
    if (task != null && task.loop == loop) {
      throw new IllegalStateException(
          call + " ends every fiber, also " + task.name() + " that called it; call it outside");
    }
  }
}
