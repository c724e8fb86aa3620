package dev.fdfiber;

import dev.fdfiber.poller.Wait;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * What the scheduler knows of one fiber, in one object: the thread's task and its executor, its
 * wait and its timer, its place in the registry. {@link Fiber} is the handle that users get.
 *
 * <p>As the thread's executor it is told by the JDK whenever the thread can go on. The runnable
 * that comes is the thread's continuation, the same object for the thread's whole life; a runnable
 * that is not ours belongs to a thread that this fiber started by itself, which inherited the
 * executor.
 *
 * <p>Fields are the driver's (and of the fiber on it), but for those marked otherwise.
 */
final class Task extends Wait implements Runnable, Executor, Thread.UncaughtExceptionHandler {
  /** How a suspension ended. */
  enum Outcome {
    NONE,
    READY,
    TIMEOUT,
    CLOSED,
    JOINED,
    CANCELLED
  }

  private static final AtomicIntegerFieldUpdater<Task> STATE =
      AtomicIntegerFieldUpdater.newUpdater(Task.class, "state");

  private static final Fiber.State[] STATES = Fiber.State.values();
  private static final Outcome[] OUTCOMES = Outcome.values();

  private static final AtomicIntegerFieldUpdater<Task> ARRIVING =
      AtomicIntegerFieldUpdater.newUpdater(Task.class, "arriving");

  final Loop loop;
  final long id;
  final Fiber fiber = new Fiber(this);
  private final @Nullable String name;
  private final @Nullable FiberBody body; // null: a thread that a fiber started by itself

  // Set once, by the thread that makes or starts the fiber.
  @Nullable Thread thread;
  @Nullable Runnable continuation;

  /** 1 while a token of this task is in the inbox. Any thread. */
  private volatile int arriving;

  /** Of STATES: G1 has no barrier for storing a number. Any thread may look. */
  private volatile int state = indexOf(Fiber.State.READY);

  long sinceNanos; // when that began, as the loop saw it
  boolean queued; // in the ready queue, or about to be
  boolean suspended; // in a wait of ours that is not over
  boolean abandoned; // given up, and never to run again
  boolean left; // by Loop.leave, and has not come back
  boolean returned; // from there, since it was resumed last
  private byte outcome = indexOf(Outcome.NONE); // of OUTCOMES
  volatile @Nullable Throwable failure;

  long deadlineNanos;
  int timerSlot = -1;
  long overSince; // see Waits

  @Nullable GroupWait group; // while it waits for several descriptors at once
  Driver.@Nullable Request request; // the driving call that this fiber made
  @Nullable List<Task> joiners;

  // The registry's.
  boolean known; // listed now, or before
  boolean listed;
  @Nullable Task previousAlive;
  @Nullable Task nextAlive;

  Task(Loop loop, @Nullable String name, @Nullable FiberBody body) {
    this.loop = loop;
    this.id = loop.registry.newId();
    this.name = name;
    this.body = body;
    this.sinceNanos = loop.waits.now();
  }

  /** The task of the calling fiber, or null in any other thread. */
  static @Nullable Task current() {
    Thread me = Thread.currentThread();
    return me.isVirtual() ? currentVirtual(me) : null;
  }

  private static @Nullable Task currentVirtual(Thread me) {
    if (!(VirtualThreads.executorOf(me) instanceof Task task)) {
      return null;
    }
    // A thread that inherited the executor is on the same driver, so it is what runs there.
    Task running = task.loop.running();
    if (running != null && running.thread == null) {
      running.thread = me;
    }
    return running;
  }

  String name() {
    return name == null ? "fiber-" + id : name;
  }

  boolean isAdopted() {
    return body == null;
  }

  @Override
  public void run() {
    try {
      if (body != null) {
        body.run();
      }
    } catch (Throwable t) {
      loop.failed(this, t);
    }
  }

  @Override
  public void uncaughtException(Thread thread, Throwable t) {
    Task task = current(); // for a thread that inherited this executor, not this one
    loop.failed(task == null ? this : task, t);
  }

  /**
   * The JDK: this thread, or one that it started, can go on. Takes no lock. Never throws, but for
   * the start of a thread after the scheduler was closed, which the JDK hands to who starts it.
   */
  @Override
  @SuppressWarnings("ReferenceEquality") // a continuation is known by its identity
  public void execute(Runnable runnable) {
    if (loop.isOnDriver()) {
      loop.continued(this, runnable);
    } else if (continuation == null) {
      continuation = runnable;
      loop.registry.arrives();
      if (!arrive()) {
        loop.registry.arrivedNever();
        throw new RejectedExecutionException(loop.closedMessage());
      }
    } else if (continuation == runnable) {
      arrive();
    } else {
      loop.inbox.put(runnable);
    }
  }

  /** Any thread: puts a token into the inbox, unless one is there. False after close. */
  boolean arrive() {
    return !ARRIVING.compareAndSet(this, 0, 1) || loop.inbox.put(this);
  }

  /** The driver took the token; whoever comes from now on puts a new one. */
  void arrived() {
    arriving = 0;
  }

  /** What it does now. Any thread. */
  Fiber.State state() {
    Thread t = thread;
    boolean over = t != null && t.getState() == Thread.State.TERMINATED;
    return over ? Fiber.State.DONE : STATES[state];
  }

  /** What it did last, as the driver said. */
  Fiber.State lastState() {
    return STATES[state];
  }

  boolean is(Fiber.State other) {
    return state == indexOf(other);
  }

  /** The driver: says what it does now. Others see it soon, which needs no fence. */
  void setState(Fiber.State next) {
    STATE.lazySet(this, indexOf(next));
  }

  /** How its last suspension ended. */
  Outcome outcome() {
    return OUTCOMES[outcome];
  }

  void setOutcome(Outcome next) {
    outcome = indexOf(next);
  }

  @SuppressWarnings("EnumOrdinal") // into values(), and kept nowhere
  private static byte indexOf(Enum<?> constant) {
    return (byte) constant.ordinal();
  }

  boolean isInterrupted() {
    Thread t = thread;
    return t != null && t.isInterrupted();
  }

  void addJoiner(Task joiner) {
    if (joiners == null) {
      joiners = new ArrayList<>(1);
    }
    joiners.add(joiner);
  }
}
