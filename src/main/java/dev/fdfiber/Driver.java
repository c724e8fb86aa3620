package dev.fdfiber;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The driving calls of a scheduler: who may make them, how they nest, and when they return.
 *
 * <p>The first thread to drive owns the scheduler until it ends or another closes the scheduler. A
 * driving call from inside a fiber is a {@link Request}: the fiber suspends, the loop finds the
 * request right after, serves it on the driver's stack and resumes the fiber ahead of the queue. So
 * nested calls return innermost first.
 *
 * <p>A stop, or an interrupt of the driver, ends every driving call at the end of its pass. The
 * interrupt status itself does not survive a mounted fiber, so it is kept in a flag for the length
 * of the outermost call and set again at its end.
 */
final class Driver {
  /** A driving call's work; {@code caller} is the fiber that made the call, if one did. */
  @FunctionalInterface
  interface Op {
    long run(@Nullable Task caller);
  }

  private static final long CLOSE_LIMIT_NANOS = 5_000_000_000L;
  private static final long RECANCEL_NANOS = CLOSE_LIMIT_NANOS / 4;

  /** Fibers that may drive at once: each takes a part of the driver's stack. */
  private static final int DEEPEST = 500;

  private final Loop loop;
  private final String name;
  private final Interrupts interrupts = new Interrupts(this::interrupted);
  private final ReentrantLock closing = new ReentrantLock();
  private int nested; // fibers that drive and wait for that to end

  private volatile @Nullable Thread owner;
  private volatile @Nullable Thread closer;
  private volatile boolean refuses; // new fibers, and new driving calls
  private volatile boolean closed;

  Driver(Loop loop, String name) {
    this.loop = loop;
    this.name = name;
  }

  // ---- the calls

  boolean tick(int timeoutMillis) {
    long nanos = timeoutMillis < 0 ? Times.FOREVER : timeoutMillis * 1_000_000L;
    Task deep = Task.current();
    if (deep != null && deep.loop == loop && nested >= DEEPEST) {
      boolean others = loop.isReady();
      loop.leave(deep); // they get their turns, and more than one
      return others;
    }
    return drive(caller -> tick(nanos, caller)) != 0;
  }

  private long tick(long nanos, @Nullable Task caller) {
    long deadline = nanos <= 0 ? 0 : loop.clock.nanoTime() + nanos;
    long left = nanos;
    while (true) {
      loop.takeArrivals();
      if (!loop.isReady() && isFinished()) {
        return 0;
      }
      loop.lookIfDue(left);
      if (loop.isReady()) {
        loop.resumeNext();
        return 1;
      }
      left = nanos < 0 ? nanos : Math.max(0, deadline - loop.clock.nanoTime());
      if (nanos == 0 || left == 0 || isOver(caller)) {
        return 0;
      }
    }
  }

  int runUntilEmpty() {
    return (int) drive(this::runUntilEmpty);
  }

  private long runUntilEmpty(@Nullable Task caller) {
    long resumes = 0;
    do {
      loop.takeArrivals();
      loop.lookIfDue(0);
      if (!loop.isReady()) {
        break;
      }
      resumes += loop.resumeBatch();
    } while (!isOver(caller));
    return resumes;
  }

  void runFor(long nanos) {
    drive(caller -> runFor(nanos, caller));
  }

  private long runFor(long nanos, @Nullable Task caller) {
    long deadline = nanos < 0 ? 0 : loop.clock.nanoTime() + nanos;
    do {
      loop.takeArrivals();
      if (isFinished()) {
        break;
      }
      loop.lookIfDue(left(nanos, deadline));
      loop.resumeBatch();
    } while (!isOver(caller) && left(nanos, deadline) != 0);
    return 0;
  }

  private long left(long nanos, long deadline) {
    return nanos < 0 ? nanos : Math.max(0, deadline - loop.clock.nanoTime());
  }

  /** Drives until a fiber has ended; false when the time was up, or at an interrupt or a close. */
  boolean runUntilDone(Task task, long nanos) {
    return drive(caller -> runUntilDone(task, nanos, caller)) != 0;
  }

  private long runUntilDone(Task task, long nanos, @Nullable Task caller) {
    long deadline = nanos < 0 ? 0 : loop.clock.nanoTime() + nanos;
    do {
      loop.takeArrivals();
      if (task.is(Fiber.State.DONE)) {
        return 1;
      }
      loop.lookIfDue(left(nanos, deadline));
      if (loop.isReady()) {
        loop.resumeNext();
      }
      loop.stopRequested = false; // that ends a pass, and not a wait for a fiber
    } while (!isOver(caller) && !refuses && left(nanos, deadline) != 0);
    return task.is(Fiber.State.DONE) ? 1 : 0;
  }

  void stop() {
    loop.stopRequested = true;
    loop.waker.signal();
  }

  boolean isOwner(Thread thread) {
    return owner == thread;
  }

  boolean isClosed() {
    return closed;
  }

  /** Refuses what would start a fiber once the scheduler is being closed. */
  void requireOpen() {
    if (refuses) {
      throw new IllegalStateException(loop.closedMessage());
    }
  }

  /** If a thread drove this last, so that nobody else will, and it is not being closed. */
  boolean isDrivenBy(Thread thread) {
    return owner == thread && !refuses;
  }

  // ---- how a call drives

  private long drive(Op op) {
    Task caller = Task.current();
    if (caller != null && caller.loop == loop) {
      return driveFromFiber(caller, op);
    }
    Thread me = Thread.currentThread();
    claim(me);
    loop.scheduler.drivenHere();
    interrupts.enter();
    try {
      return op.run(null);
    } finally {
      interrupts.leave();
      release(me);
    }
  }

  /** Makes the caller the driver, or says why it cannot be. */
  private void claim(Thread me) {
    if (me.isVirtual()) {
      throw new IllegalStateException(
          name + " needs a platform thread to drive it: " + me + " is virtual, and cannot carry");
    }
    if (loop.driver == me) {
      throw new IllegalStateException(name + " is already being driven further up this stack");
    }
    requireMayDrive(me);
    while (!loop.claim(me)) {
      if (closer != me) {
        throw wrongThread(loop.driver, me);
      }
      awaitDriver(); // that only looked whether it may drive
    }
    try {
      requireMayDrive(me); // another may have come between
    } catch (RuntimeException e) {
      unclaim(me);
      throw e;
    }
    owner = me;
  }

  private void requireMayDrive(Thread me) {
    if (refuses && closer != me) {
      throw new IllegalStateException(loop.closedMessage());
    }
    Thread now = owner;
    if (now != me && closer != me && now != null && now.isAlive()) {
      throw wrongThread(now, me);
    }
  }

  private WrongThreadException wrongThread(@Nullable Thread other, Thread me) {
    String driver = other == null ? "another thread" : other.toString();
    return new WrongThreadException(
        name + " is driven by " + driver + ", which owns it until it ends; this is " + me);
  }

  private void release(Thread me) {
    loop.stopRequested = false;
    passOnInterrupt(me);
    unclaim(me);
    passOnInterrupt(me); // one that came between
  }

  private void passOnInterrupt(@Nullable Thread thread) {
    if (loop.driverInterrupted && thread != null) {
      loop.driverInterrupted = false;
      thread.interrupt();
    }
  }

  private void unclaim(Thread me) {
    loop.driver = null;
    Thread waiting = closer;
    if (waiting != null && waiting != me) {
      LockSupport.unpark(waiting);
    }
  }

  private long driveFromFiber(Task caller, Op op) {
    if (nested >= DEEPEST) {
      throw new IllegalStateException(
          "fiber " + caller.name() + " cannot drive: " + nested + " fibers do so already");
    }
    Request request = new Request(caller, op);
    caller.request = request;
    if (!loop.suspend(caller, Fiber.State.BLOCKED)) {
      caller.request = null;
      throw new IllegalStateException(
          "fiber " + caller.name() + " is pinned, so it cannot step aside for the others to run");
    }
    return request.result();
  }

  /** A driving call that a fiber made and that the loop serves. */
  final class Request {
    private final Task caller;
    private final Op op;
    private long result;
    private @Nullable Throwable failure;

    Request(Task caller, Op op) {
      this.caller = caller;
      this.op = op;
    }

    void serve() {
      nested++;
      try {
        result = op.run(caller);
      } catch (Throwable t) {
        failure = t; // it is the caller's, like its call
      } finally {
        nested--;
      }
    }

    long result() {
      if (failure instanceof Error e) {
        throw e;
      }
      if (failure instanceof RuntimeException e) {
        throw e;
      }
      return result;
    }
  }

  private boolean isFinished() {
    return loop.registry.aliveCount() - nested <= 0 && loop.inbox.isEmpty();
  }

  private boolean isOver(@Nullable Task caller) {
    return loop.stopRequested
        || loop.driverInterrupted
        || (caller != null && caller.isInterrupted());
  }

  private void interrupted() {
    loop.driverInterrupted = true;
    loop.waker.signal();
    if (loop.driver == null) {
      passOnInterrupt(owner); // the JDK tells late: the call that it was for has ended
    }
  }

  // ---- clear and close

  void clear() {
    refuseInFiber("clear");
    requireOpen();
    drive(caller -> cancelAll());
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
    refuses = true;
    try {
      if (me.isVirtual()) {
        requireNothingToEnd(me);
      } else {
        endAll(me);
      }
      closed = true;
    } finally {
      refuses = closed;
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
    drive(caller -> cancelAll());
    loop.waker.refuse();
    if (!loop.inbox.isEmpty() || loop.registry.knownCount() > 0) {
      drive(caller -> cancelAll()); // what had been let in before that
    }
    assert closer == me;
  }

  /** Asks the thread that drives to stop, and waits until it has. */
  private void awaitDriver() {
    long start = SystemClock.INSTANCE.nanoTime();
    boolean interruptedHere = false;
    for (Thread now; (now = loop.driver) != null; ) {
      long left = CLOSE_LIMIT_NANOS - (SystemClock.INSTANCE.nanoTime() - start);
      if (left <= 0) {
        throw new IllegalStateException(
            name
                + " cannot be closed: "
                + now
                + " drives it and has not come back for "
                + CLOSE_LIMIT_NANOS / 1e9
                + " s; a fiber holds it");
      }
      stop();
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
    long nextRound = RECANCEL_NANOS;
    while (true) {
      loop.takeArrivals();
      if (isFinished()) {
        break;
      }
      long passed = SystemClock.INSTANCE.nanoTime() - start;
      if (passed >= CLOSE_LIMIT_NANOS) {
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
      loop.lookIfDue(Math.max(0, Math.min(nextRound, CLOSE_LIMIT_NANOS) - passed));
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
      Reports.swallowsCancel(task, CLOSE_LIMIT_NANOS / 1e9);
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
