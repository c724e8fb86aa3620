package dev.fdfiber;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What a thread that owns scopes has open, and which cancels are on their way to it.
 *
 * <p>The JDK has one interrupt status for everything, so what it stands for is kept here. An
 * expired scope interrupts its owner; if the owner then leaves the scope without having noticed,
 * the status is taken back, unless the owner was cancelled as well. While the owner is shielded,
 * cancels from outside of the shield are noted and made up for at its end.
 *
 * <p>An owner has an entry in {@link Loop#owners} while it has a scope or a shield. The flags are
 * for any thread, the rest is the owner's and the driver's.
 */
final class ScopeOwner {
  /** Inside a shield. */
  private static final int SHIELDED = 1;

  /** Cancelled inside a shield; it comes at the end. */
  private static final int DEFERRED = 2;

  /** Interrupted by an expiry that nobody has reported yet. */
  private static final int EXPIRY = 4;

  /** Cancelled after that. */
  private static final int CANCELLED_TOO = 8;

  private final Loop loop;
  private final Thread thread;
  private final @Nullable Task task;
  private final AtomicInteger flags = new AtomicInteger();
  private @Nullable FiberScope innermost;
  private int shields;

  private ScopeOwner(Loop loop, Thread thread, @Nullable Task task) {
    this.loop = loop;
    this.thread = thread;
    this.task = task;
  }

  /** The caller, as an owner in its scheduler. */
  static ScopeOwner current(Loop loop) {
    Task task = Task.current();
    return loop.owners.computeIfAbsent(
        Thread.currentThread(), thread -> new ScopeOwner(loop, thread, task));
  }

  boolean isCaller() {
    return Thread.currentThread() == thread;
  }

  String name() {
    return task == null ? "thread " + thread.getName() : "fiber " + task.name();
  }

  // ---- scopes

  @Nullable FiberScope innermost() {
    return innermost;
  }

  int shields() {
    return shields;
  }

  void opened(FiberScope scope) {
    innermost = scope;
  }

  void closed(@Nullable FiberScope outer) {
    innermost = outer;
    forgetIfIdle();
  }

  private void forgetIfIdle() {
    if (innermost == null && shields == 0) {
      loop.owners.remove(thread);
    }
  }

  /** The owner has ended and left scopes open. */
  void ended() {
    loop.owners.remove(thread);
    for (FiberScope scope = innermost; scope != null; scope = scope.outer()) {
      scope.abandon();
    }
  }

  /** The fiber that this is, or null for a thread. */
  @Nullable Task task() {
    return task;
  }

  /** For {@link Dump}: if cancels have to wait. Any thread. */
  String describeShield() {
    if ((flags.get() & SHIELDED) == 0) {
      return "";
    }
    return (flags.get() & DEFERRED) != 0 ? "; in a shield, cancelled" : "; in a shield";
  }

  // ---- cancels

  /** Any thread: the owner is cancelled; true if that has to wait for the end of a shield. */
  boolean defersCancel() {
    int before =
        flags.getAndUpdate(
            f -> (f & SHIELDED) != 0 ? f | DEFERRED : (f & EXPIRY) != 0 ? f | CANCELLED_TOO : f);
    return (before & SHIELDED) != 0;
  }

  /** The owner, where it found itself interrupted: true if that has to wait, too. */
  boolean defersInterrupt() {
    if (expired() != null || (flags.get() & SHIELDED) == 0) {
      return false;
    }
    flags.getAndUpdate(f -> f | DEFERRED);
    return true;
  }

  // ---- expiries

  /** The driver: a scope of this owner has expired. Interrupts the owner, or does so later. */
  void interruptFor(FiberScope expired) {
    if (expired.shields() < shields) {
      return; // at the end of the shield
    }
    boolean merged = thread.isInterrupted() || (task == null && loop.driverInterrupted);
    int now = flags.get();
    if (merged && ((now & EXPIRY) == 0 || (now & CANCELLED_TOO) != 0)) {
      expired.deadline().interruptSettled(); // the owner is cancelled already
      return;
    }
    expired.deadline().interruptSent();
    flags.getAndUpdate(f -> f | EXPIRY);
    if (!merged) {
      interrupt();
    }
  }

  private void interrupt() {
    if (task == null) {
      thread.interrupt();
    } else {
      loop.interrupt(task);
    }
  }

  /**
   * The expired scope whose interrupt the owner has, or had, the earliest of several; null if there
   * is none, or if the owner was cancelled as well.
   */
  @Nullable FiberScope expired() {
    if ((flags.get() & (EXPIRY | CANCELLED_TOO)) != EXPIRY) {
      return null;
    }
    FiberScope earliest = null;
    for (FiberScope s = innermost; s != null && s.shields() == shields; s = s.outer()) {
      if (s.deadline().isInterruptOpen()
          && (earliest == null || s.deadline().isBefore(earliest.deadline()))) {
        earliest = s;
      }
    }
    return earliest;
  }

  /** The owner: what is on its way for this scope is on its way no more. */
  void settle(FiberScope expired) {
    expired.deadline().interruptSettled();
    boolean another = false;
    for (FiberScope s = innermost; s != null; s = s.outer()) {
      another |= s.deadline().isInterruptOpen();
    }
    if (!another) {
      int before = flags.getAndUpdate(f -> f & ~(EXPIRY | CANCELLED_TOO));
      if ((before & CANCELLED_TOO) == 0) {
        Thread.interrupted();
      }
    } else if ((flags.get() & CANCELLED_TOO) == 0) {
      thread.interrupt(); // the other's
    }
  }

  // ---- shields

  void enterShield() {
    boolean expiry = expired() != null;
    boolean interrupted = Thread.interrupted();
    if (interrupted && expiry) {
      holdExpiries();
    }
    shields++;
    int set = interrupted && !expiry ? SHIELDED | DEFERRED : SHIELDED;
    flags.getAndUpdate(f -> f | set);
  }

  private void holdExpiries() {
    for (FiberScope s = innermost; s != null; s = s.outer()) {
      if (s.deadline().isInterruptOpen()) {
        s.deadline().interruptWaits();
      }
    }
    flags.getAndUpdate(f -> f & ~EXPIRY);
  }

  void leaveShield() {
    shields--;
    if (shields == 0 && (flags.getAndUpdate(ScopeOwner::unshielded) & DEFERRED) != 0) {
      thread.interrupt();
    }
    for (FiberScope s = innermost; s != null; s = s.outer()) {
      if (s.deadline().isInterruptWaiting()) {
        interruptFor(s);
      }
    }
    forgetIfIdle();
  }

  private static int unshielded(int flags) {
    int rest = flags & ~(SHIELDED | DEFERRED);
    return (flags & DEFERRED) != 0 && (flags & EXPIRY) != 0 ? rest | CANCELLED_TOO : rest;
  }
}
