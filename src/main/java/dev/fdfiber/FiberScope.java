package dev.fdfiber;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A block that ends when everything that it forked has ended.
 *
 * <pre>{@code
 * try (FiberScope scope = FiberScope.open(Duration.ofSeconds(2))) {
 *   Future<String> user = scope.fork(() -> findUser());
 *   Future<Integer> order = scope.fork(() -> fetchOrder());
 *   scope.join();
 *   return new Response(user.resultNow(), order.resultNow());
 * }
 * }</pre>
 *
 * <p>In a fiber its children are fibers of the same scheduler. In a platform thread they are fibers
 * of {@link Scheduler#current}, and {@link #join} and {@link #close} drive that. A scope belongs to
 * the thread that opened it, its owner.
 *
 * <p><b>Stopped</b> is what a scope is once its outcome is certain: a child failed (or succeeded,
 * as its {@link Policy} says), its deadline passed, or it is being closed. Every child that is
 * alive is cancelled then, once, also one that has not started: that runs up to its first wait.
 * What is forked later never runs, and its future is cancelled. A child that ends by that cancel
 * has not failed, and the state of its future is CANCELLED; if it ends with a result nevertheless,
 * its future has that. Cancelling a future cancels that child alone and is no failure; a child that
 * is cancelled in any other way and ends by that has failed, with InterruptedException.
 *
 * <p><b>Deadlines.</b> One that passes stops the scope and all scopes that its owner has opened
 * inside it, or opens later. If the owner is in {@code join} of any of them, that throws
 * TimeoutException, which names the scope whose deadline it was, the earliest. If it waits
 * elsewhere it is interrupted, and the exception of that wait leaves the block, with the
 * TimeoutException added to it as suppressed by {@code close}; {@link #within} throws the
 * TimeoutException itself. An owner that has noticed nothing when it leaves the block is no longer
 * interrupted; one that was cancelled besides still is. What the driver does not look at cannot
 * expire: a block that never waits ends as it ends. Outside a fiber an expiry ends the driving
 * call; a thread that sleeps, or waits in the kernel by itself, does not drive.
 */
public final class FiberScope implements AutoCloseable {
  /** When a scope's outcome is certain, and what {@link #join} does then. */
  public enum Policy {
    /** Each child has to succeed: the first failure stops the scope, and join throws it. */
    ALL_SUCCESSFUL,
    /** One has to: the first success stops the scope. If there is none, join throws. */
    ANY_SUCCESSFUL,
    /** All run to their ends, and their futures tell which: join throws no failure. */
    AWAIT_ALL
  }

  private static final int NAMES_IN_MESSAGE = 5;

  private final String name;
  private final @Nullable String childPrefix;
  private final Policy policy;
  private final Loop loop;
  private final ScopeOwner owner;
  private final @Nullable FiberScope outer;
  private final int shields; // those that are around it
  private final ScopeChildren children;
  private final ScopeDeadline deadline;
  private final List<ScopeChild<?>> failed = new ArrayList<>(0);
  private int forks;
  private int thrown; // so many of the failed were told by a join
  private @Nullable ScopeChild<?> winner;
  private @Nullable FiberScope expired; // what stopped this: its own deadline, or an outer one's
  private List<String> cut = List.of(); // whom that cancelled
  private boolean closed;

  private FiberScope(Builder options) {
    this.loop = Scheduler.current().loop();
    this.owner = ScopeOwner.current(loop);
    this.outer = owner.innermost();
    this.shields = owner.shields();
    this.name = "scope " + (options.name == null ? "of " + owner.name() : options.name);
    this.childPrefix = options.name;
    this.policy = options.policy;
    this.children = new ScopeChildren(loop, owner, name, this::ended);
    this.deadline = new ScopeDeadline(loop, name, this::expire);
    owner.opened(this);
    expired = expiredAround();
    if (expired != null) {
      children.stop();
    } else if (options.deadline != null) {
      deadline.set(options.deadline);
    }
  }

  /** The scope around this one whose deadline has passed, unless a shield is between. */
  private @Nullable FiberScope expiredAround() {
    for (FiberScope s = outer; s != null && s.shields == shields; s = s.outer) {
      if (s.deadline.hasPassed()) {
        return s;
      }
    }
    return null;
  }

  // ---- opening

  /**
   * A scope whose children all have to succeed, without a deadline.
   *
   * @throws IllegalStateException in a virtual thread that is no fiber
   */
  public static FiberScope open() {
    return builder().open();
  }

  /**
   * A scope whose children all have to succeed, with a deadline for the whole block.
   *
   * @param deadline from now on, by the scheduler's clock; zero or less has passed already
   * @throws IllegalStateException in a virtual thread that is no fiber
   */
  public static FiberScope open(Duration deadline) {
    return builder().deadline(deadline).open();
  }

  /** The choices that a scope is opened with. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Calls the body with a deadline. When that passes, the wait that the body is in is interrupted,
   * and whatever it throws because of that comes out as TimeoutException, with it as the cause.
   *
   * @throws TimeoutException if the deadline interrupted the body, also if that then returned
   * @throws Exception what the body throws
   */
  public static <T> T within(Duration deadline, Callable<T> body) throws Exception {
    FiberScope scope = open(deadline);
    T result;
    try {
      result = body.call();
    } catch (Throwable t) {
      boolean interrupted = ScopeChild.isCancel(t);
      TimeoutException late = scope.end();
      if (late == null || !interrupted) {
        throw t;
      }
      late.initCause(t);
      throw late;
    }
    scope.close();
    return result;
  }

  /**
   * Runs clean-up that cancels must not cut short: one that comes meanwhile takes effect at the
   * end, one that is pending is held back until then. That is {@link Fiber#cancel}, what scopes do
   * to their children, the deadlines of scopes around the shield (which stop those scopes in time
   * all the same), and the end of the scheduler, which waits for a few seconds. Deadlines of scopes
   * that are opened inside the shield work as ever. An interrupt by Thread.interrupt waits too
   * where the body waits by means of this library; a blocking call of the JDK is ended by it.
   *
   * @throws Exception what the body throws
   */
  public static void shield(FiberBody body) throws Exception {
    ScopeOwner owner = ScopeOwner.current(Scheduler.current().loop());
    owner.enterShield();
    try {
      body.run();
    } finally {
      owner.leaveShield();
    }
  }

  // ---- what the owner does

  /**
   * Makes a fiber that calls the task. By the owner, or a fiber that was forked into this scope;
   * does not suspend.
   *
   * @return what becomes of it. Its {@code get} suspends a fiber; in the thread that drives the
   *     scheduler it is IllegalStateException until the fiber has ended. Before it has ended its
   *     {@code state} is RUNNING. {@code cancel(true)} cancels the fiber, too; before that has
   *     started, it never runs the task.
   * @throws IllegalStateException after {@link #close}, of this or of the scheduler
   * @throws WrongThreadException in any other thread
   */
  public <T> Future<T> fork(Callable<T> task) {
    Objects.requireNonNull(task, "task");
    if (!owner.isCaller() && !children.contains(Task.current())) {
      throw wrongThread("fork into");
    }
    requireOpen();
    forks++;
    return children.fork(childPrefix == null ? null : childPrefix + "-" + forks, task);
  }

  /**
   * Waits until every child has ended, those that were cancelled too, so that afterwards none is
   * alive. Suspends in a fiber; elsewhere it drives the scheduler. It may be called again, also
   * after further forks.
   *
   * @throws ExecutionException if a child failed, as the {@link Policy} says; the cause is the
   *     first failure, the others are suppressed
   * @throws TimeoutException if the deadline of this scope passed before that, or the deadline of
   *     one around it passed at all; it names the scope; failures are suppressed
   * @throws InterruptedException if the owner is cancelled, or was before it had to wait; the
   *     children stay as they are until the scope is closed
   * @throws IllegalStateException after {@link #close}
   * @throws WrongThreadException in any other thread than the owner
   */
  public void join() throws InterruptedException, ExecutionException, TimeoutException {
    requireOwner("join");
    requireOpen();
    try {
      children.await();
    } catch (InterruptedException e) {
      FiberScope late = owner.expired();
      if (late == null) {
        throw e;
      }
      if (children.isStopped() && children.awaitUninterruptibly()) {
        Thread.currentThread().interrupt();
      }
    }
    throwOutcome();
  }

  private void throwOutcome() throws ExecutionException, TimeoutException {
    thrown = failed.size();
    FiberScope late = owner.expired();
    if (late != null && !(late == this && expired == null)) {
      owner.settle(late);
      throw late.timeout(failed);
    }
    if (late != null) {
      owner.settle(late); // a failure came first
    }
    if (expired != null) {
      throw expired.timeout(failed);
    }
    boolean fails =
        switch (policy) {
          case ALL_SUCCESSFUL -> !failed.isEmpty();
          case ANY_SUCCESSFUL -> winner == null;
          case AWAIT_ALL -> false;
        };
    if (fails) {
      throw failure();
    }
  }

  private ExecutionException failure() {
    if (failed.isEmpty()) {
      String message = name + ": no child succeeded";
      return new ExecutionException(message, new NoSuchElementException(message));
    }
    ScopeChild<?> first = failed.getFirst();
    Throwable cause = causeOf(first);
    ExecutionException e =
        new ExecutionException(
            name + ": fiber " + first.task().name() + " failed with " + cause, cause);
    suppress(e, failed.subList(1, failed.size()));
    return e;
  }

  private static Throwable causeOf(ScopeChild<?> child) {
    return Objects.requireNonNull(child.failure(), "a child on this list has failed");
  }

  @SuppressWarnings("ReferenceEquality") // an exception that several children threw counts once
  private static void suppress(Throwable e, List<ScopeChild<?>> others) {
    for (ScopeChild<?> other : others) {
      Throwable t = causeOf(other);
      if (t != e.getCause()) {
        e.addSuppressed(t);
      }
    }
  }

  private TimeoutException timeout(List<ScopeChild<?>> failures) {
    TimeoutException e = new TimeoutException(deadline.expiredMessage() + cutMessage());
    suppress(e, failures);
    return e;
  }

  private String cutMessage() {
    if (cut.isEmpty()) {
      return "";
    }
    int some = Math.min(cut.size(), NAMES_IN_MESSAGE);
    String more = some == cut.size() ? "" : " and " + (cut.size() - some) + " more";
    return "; cancelled: " + String.join(", ", cut.subList(0, some)) + more;
  }

  /**
   * The future of the child that succeeded first, if the policy is {@code ANY_SUCCESSFUL} and one
   * did: the one that the others were cancelled for. Some of those may have succeeded too.
   */
  public Optional<Future<?>> winner() {
    return Optional.ofNullable(winner);
  }

  /**
   * Stops this scope and waits until every child has ended; an interrupt of the owner has to wait
   * for that. A child that swallows the cancel is waited for all the same, and reported by name
   * after 5 seconds. Failures that no {@code join} has thrown go to the scheduler's {@code
   * onUncaught}, but for {@code AWAIT_ALL}, and where there is a {@link #winner}. The second time
   * does nothing.
   *
   * <p>If the owner was interrupted by an expiry of this scope and no {@code join} has said so,
   * this throws the TimeoutException, although it declares none, as {@code join} in the same block
   * does.
   *
   * @throws IllegalStateException if a scope that was opened inside this one is still open; that is
   *     closed first, and then this one
   * @throws WrongThreadException in any other thread than the owner; nothing is closed
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    requireOwner("close");
    TimeoutException late = end();
    if (late != null) {
      FiberScope.<RuntimeException>throwUndeclared(late);
    }
  }

  /** Closes; what is to be thrown if the owner was interrupted by this scope's expiry. */
  private @Nullable TimeoutException end() {
    String left = closeInner();
    deadline.cancel();
    children.stop();
    if (children.awaitUninterruptibly()) {
      Thread.currentThread().interrupt();
    }
    closed = true;
    boolean noticed = isNoticed();
    if (deadline.isInterruptOpen()) {
      owner.settle(this);
    }
    owner.closed(outer);
    reportFailures();
    if (left != null) {
      throw new IllegalStateException(left + " was still open when " + name + " was closed");
    }
    return noticed ? timeout(List.of()) : null;
  }

  private @Nullable String closeInner() {
    String left = null;
    for (FiberScope inner; (inner = owner.innermost()) != null && inner != this; ) {
      left = inner.name;
      inner.end();
    }
    return left;
  }

  private boolean isNoticed() {
    return deadline.isInterruptOpen()
        && owner.expired() != null
        && (deadline.wasInterruptSeen() || !Thread.currentThread().isInterrupted());
  }

  private void reportFailures() {
    if (policy != Policy.AWAIT_ALL && winner == null) {
      failed.stream().skip(thrown).forEach(child -> loop.failed(child.task(), causeOf(child)));
    }
  }

  @SuppressWarnings("unchecked")
  private static <X extends Throwable> void throwUndeclared(Throwable t) throws X {
    throw (X) t;
  }

  // ---- what happens to it

  /** A child has ended. Runs in that fiber, which then ends. */
  private void ended(ScopeChild<?> child) {
    if (child.failure() != null) {
      failed.add(child);
      if (closed) { // its owner ended
        loop.failed(child.task(), causeOf(child));
      }
      if (policy == Policy.ALL_SUCCESSFUL) {
        children.stop();
      }
    } else if (policy == Policy.ANY_SUCCESSFUL
        && child.state() == Future.State.SUCCESS
        && !children.isStopped()) {
      winner = child;
      children.stop();
    }
  }

  private void expire() {
    for (FiberScope s = owner.innermost(); s != null; s = s == this ? null : s.outer) {
      if (!s.children.isStopped() && s.shields == shields) {
        s.expired = this;
        s.cut = s.children.names();
        s.children.stop();
      }
    }
    deadline.interruptWaits();
    owner.interruptFor(this);
  }

  /** The owner has ended and left this open. */
  void abandon() {
    Reports.leftOpen(name, owner.name());
    deadline.cancel();
    closed = true;
    children.stop();
  }

  // ---- for ScopeOwner, Parking and Census

  /** The children that have not ended. Any thread. */
  List<Task> childTasks() {
    return children.tasks();
  }

  ScopeOwner owner() {
    return owner;
  }

  @Nullable FiberScope outer() {
    return outer;
  }

  int shields() {
    return shields;
  }

  ScopeDeadline deadline() {
    return deadline;
  }

  // ---- misuse

  private void requireOwner(String call) {
    if (!owner.isCaller()) {
      throw wrongThread(call);
    }
  }

  private WrongThreadException wrongThread(String call) {
    Task task = Task.current();
    String caller = task == null ? Thread.currentThread().toString() : "fiber " + task.name();
    return new WrongThreadException(
        caller + " cannot " + call + " " + name + ", which " + owner.name() + " opened");
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(name + " is closed");
    }
  }

  @Override
  public String toString() {
    String state = closed ? "closed" : children.isStopped() ? "stopped" : "open";
    return name + " (" + state + ", " + children.names().size() + " children)";
  }

  /** The choices that a scope is opened with; each has a default. */
  public static final class Builder {
    private @Nullable String name;
    private @Nullable Duration deadline;
    private Policy policy = Policy.ALL_SUCCESSFUL;

    private Builder() {}

    /** The name by which messages call it; its fibers get that name and a number. */
    public Builder name(String name) {
      this.name = Objects.requireNonNull(name, "name");
      return this;
    }

    /** The time for the whole block from its opening on; zero or less has passed already. */
    public Builder deadline(Duration deadline) {
      this.deadline = Objects.requireNonNull(deadline, "deadline");
      return this;
    }

    /** When its outcome is certain. */
    public Builder policy(Policy policy) {
      this.policy = Objects.requireNonNull(policy, "policy");
      return this;
    }

    /** Opens the scope: the calling thread is its owner. */
    public FiberScope open() {
      return new FiberScope(this);
    }
  }
}
