package dev.fdfiber;

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

  /** Fibers that may drive at once: each takes a part of the driver's stack. */
  private static final int DEEPEST = 500;

  private final Loop loop;
  private final String name;
  private final Interrupts interrupts = new Interrupts(this::interrupted);
  private final Shutdown shutdown;
  private int nested; // fibers that drive and wait for that to end
  private volatile @Nullable Thread owner;

  Driver(Loop loop, String name) {
    this.loop = loop;
    this.name = name;
    this.shutdown = new Shutdown(loop, this, name);
  }

  /** How this scheduler ends. */
  Shutdown shutdown() {
    return shutdown;
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
    } while (!isOver(caller) && !shutdown.hasBegun() && left(nanos, deadline) != 0);
    return task.is(Fiber.State.DONE) ? 1 : 0;
  }

  int pollFd() throws ErrnoException {
    ErrnoException[] failure = new ErrnoException[1];
    long fd =
        drive(caller -> {
          try {
            return loop.pollFd();
          } catch (ErrnoException e) {
            failure[0] = e;
            return -1;
          }
        });
    if (failure[0] != null) {
      throw failure[0];
    }
    return (int) fd;
  }

  void stop() {
    loop.stopRequested = true;
    loop.waker.signal();
  }

  boolean isOwner(Thread thread) {
    return owner == thread;
  }

  /** The thread that drove this last, if it has not ended. */
  @Nullable Thread owner() {
    Thread now = owner;
    return now == null || !now.isAlive() ? null : now;
  }

  /** If a thread drove this last, so that nobody else will, and it is not being closed. */
  boolean isDrivenBy(Thread thread) {
    return owner == thread && !shutdown.hasBegun();
  }

  // ---- how a call drives

  /** Makes a driving call. */
  long drive(Op op) {
    Task caller = Task.current();
    if (caller != null && caller.loop == loop) {
      return driveFromFiber(caller, op);
    }
    Thread me = Thread.currentThread();
    claim(me);
    loop.scheduler.drivenHere();
    interrupts.enter();
    try {
      long result = op.run(null);
      loop.leaveToHost();
      return result;
    } finally {
      interrupts.leave();
      release(me);
    }
  }

  /** Makes the caller the driver, or says why it cannot be. */
  @SuppressWarnings("ThreadPriorityCheck") // lets the thread finish that is in the way
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
      if (shutdown.isBy(me)) {
        shutdown.awaitDriver(); // that only looked whether it may drive
      } else {
        requireMayDrive(me); // the other may be the one that closes this, or have come to drive
        Thread.yield(); // until one is gone that only looks whether it may, or that visits
      }
    }
    try {
      requireMayDrive(me); // another may have come between
    } catch (RuntimeException e) {
      unclaim(me);
      throw e;
    }
    owner = me;
  }

  /**
   * Does something in the place of the driver while there is none, and keeps drivers out for so
   * long. Any thread that is no fiber of this scheduler.
   *
   * @return false if there is a driver
   */
  boolean visit(Runnable body) {
    Thread me = Thread.currentThread();
    if (!loop.claim(me)) {
      return false;
    }
    try {
      body.run();
    } finally {
      unclaim(me);
      passOnInterrupt(owner); // told meanwhile to a driver whose call has ended
    }
    return true;
  }

  private void requireMayDrive(Thread me) {
    if (shutdown.isBy(me)) {
      return; // it takes over
    }
    shutdown.requireOpen();
    Thread now = owner;
    if (now != me && now != null && now.isAlive()) {
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
    shutdown.driverIsGone(me);
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

  /** If no fiber is alive, but for those that drive. */
  boolean isFinished() {
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
}
