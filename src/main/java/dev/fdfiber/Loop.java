package dev.fdfiber;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.poller.Poller;
import dev.fdfiber.poller.Wait;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The scheduler's loop: who is ready, who waits for what, and the pass that turns the one into the
 * other.
 *
 * <p><b>A pass</b> takes the inbox; looks if nothing is ready, if 64 resumes have gone by since the
 * last look, or if a wait with a zero timeout wants one; then resumes at most 64 of those in the
 * queue. A look asks the poller, ends the timers that have expired, and appends first those and
 * then the ready descriptors, each in their order. Whatever is ready and expired counts as ready.
 * So the order of resumes depends on the inputs alone.
 *
 * <p><b>A fiber suspends</b> by {@link Thread#yield} with {@link #suspending} set. The JDK unmounts
 * it and calls its executor, on this thread; the executor sees the mark, clears it and does not
 * queue the fiber. If the mark is still there after the yield, the thread is pinned and never left.
 * When its wait is over it is queued, and running its continuation lets it go on behind the yield.
 *
 * <p><b>Stack dumps interfere.</b> While another thread takes the stack of an unmounted fiber, a run
 * of its continuation does nothing, and afterwards the JDK submits it again, needed or not. So a
 * submission of a fiber that is in a wait of ours is dropped, any other is honoured once, and a
 * fiber that finds itself resumed before its wait is over suspends again.
 *
 * <p>Everything here is the driver's, or the fiber's that runs on it, but for what says otherwise.
 */
final class Loop {
  /** Resumes between two looks, and in one pass. */
  static final int BATCH = 64;

  /** How long a look blocks at most while descriptors are waited for: they may get closed. */
  static final long SWEEP_NANOS = 1_000_000_000L;

  final Scheduler scheduler;
  final Kernel kernel;
  final Clock clock;
  final Waker waker;
  final Inbox inbox;
  final boolean strict;
  private final Poller poller;
  private final BiConsumer<Fiber, Throwable> onUncaught;
  private final ReadyQueue ready;
  private final TimerQueue timers = new TimerQueue();
  private final Interrupts fiberInterrupts = new Interrupts(this::fiberInterrupted);

  private final List<Task> seen = new ArrayList<>(); // by the look that is under way
  private final Consumer<Wait> collect = this::collect;
  private int sinceLook;
  private boolean lookWanted;
  private long nextOrder;

  private @Nullable Task running;
  private @Nullable Task suspending;
  private @Nullable Thread cancelling;

  // The registry. Threads that fibers start by themselves are found by their continuation.
  private final IdentityHashMap<Runnable, Task> adopted = new IdentityHashMap<>();
  private final AtomicLong ids = new AtomicLong();
  private final AtomicInteger arriving = new AtomicInteger();
  private @Nullable Task firstAlive;
  private @Nullable Task lastAlive;
  private int alive;

  // Closings of descriptors while a wait for them is over but its fiber has not gone on yet.
  private final Map<Integer, Long> closings = new HashMap<>();
  private long closingCount;
  private int delivered;

  private volatile boolean interruptsPending;

  /** The thread that drives now, if one does. Any thread may look. */
  volatile @Nullable Thread driver;

  /** Set by the driver: a blocking look must return at once. Any thread. */
  volatile boolean returnSoon;

  Loop(Scheduler scheduler, Scheduler.Builder options) {
    this.scheduler = scheduler;
    this.kernel = options.kernel();
    this.clock = options.clock;
    this.poller = options.poller.over(kernel);
    this.ready = new ReadyQueue(options.seed);
    this.strict = options.strict;
    this.onUncaught = options.onUncaught;
    this.waker = new Waker(kernel);
    this.inbox = new Inbox(waker);
  }

  static VirtualThreads threads() {
    return VirtualThreads.get();
  }

  // ---- any thread

  long newId() {
    return ids.incrementAndGet();
  }

  long newestId() {
    return ids.get();
  }

  /** If the caller is the thread that drives, or a fiber on it. */
  boolean isOnDriver() {
    Thread me = Thread.currentThread();
    if (me == driver) {
      return true;
    }
    return me.isVirtual()
        && threads().executorOf(me) instanceof Task task
        && task.loop == this
        && driver != null;
  }

  /** What runs now; meaningful to a fiber of this loop only. */
  @Nullable Task running() {
    return running;
  }

  void arrivesFirst() {
    arriving.incrementAndGet();
  }

  void arrivedNever() {
    arriving.decrementAndGet();
  }

  int aliveCount() {
    return alive + arriving.get();
  }

  boolean anyIoWaiter() {
    return poller.size() > 0;
  }

  boolean isAnyReady() {
    return !ready.isEmpty() || !inbox.isEmpty();
  }

  @Nullable Task firstTimer() {
    return timers.first();
  }

  String closedMessage() {
    return "the scheduler is closed; make another with Scheduler.create()";
  }

  /** All tasks that are alive, in the order of their first submission; weakly consistent. */
  List<Task> tasks() {
    Set<Task> tasks = new LinkedHashSet<>();
    boolean complete = false;
    for (int tries = 0; tries < 100 && !complete; tries++) {
      Task last = null;
      for (Task t = firstAlive; t != null; t = t.nextAlive) {
        tasks.add(t);
        last = t;
      }
      // A task that ended under the reader leads nowhere.
      complete = last == null || last.state != Fiber.State.DONE;
    }
    for (Runnable arrival : inbox.peek()) {
      if (arrival instanceof Task t) {
        tasks.add(t);
      }
    }
    tasks.removeIf(t -> t.state == Fiber.State.DONE);
    return new ArrayList<>(tasks);
  }

  /** Cancels a fiber; see {@link Fiber#cancel}. */
  void cancel(Task task) {
    Thread thread = task.thread;
    if (thread == null || task.loop != this) {
      return;
    }
    if (!isOnDriver()) {
      thread.interrupt();
      return;
    }
    cancelling = Thread.currentThread(); // this one needs no search for who it was
    thread.interrupt();
    cancelling = null;
    endIfInterrupted(task);
  }

  private void fiberInterrupted() {
    if (cancelling == Thread.currentThread()) {
      return;
    }
    interruptsPending = true;
    waker.signal();
  }

  // ---- what the JDK says on the driver

  /** A continuation can go on, says the executor of {@code owner}, on the driver. */
  @SuppressWarnings("ReferenceEquality") // a continuation is known by its identity
  void continued(Task owner, Runnable continuation) {
    if (suspending != null) {
      suspending = null;
      return;
    }
    Task now = running;
    if (now != null && now.continuation == continuation) {
      enqueue(now);
    } else if (owner.continuation == continuation) {
      wake(owner);
    } else if (owner.continuation == null) {
      owner.continuation = continuation;
      register(owner);
      enqueue(owner);
    } else {
      wakeAdopted(continuation);
    }
  }

  private void wakeAdopted(Runnable continuation) {
    Task task = adopted.get(continuation);
    if (task == null) {
      adopt(continuation);
    } else {
      wake(task);
    }
  }

  private void adopt(Runnable continuation) {
    Thread thread = threads().threadOf(continuation);
    if (thread != null && !thread.isAlive()) {
      return; // a stray submission that outlived its thread
    }
    String name = thread == null || thread.getName().isEmpty() ? null : thread.getName();
    Task task = new Task(this, name, null);
    task.thread = thread;
    task.continuation = continuation;
    if (thread != null && thread.getUncaughtExceptionHandler() instanceof ThreadGroup) {
      thread.setUncaughtExceptionHandler(task);
    }
    adopted.put(continuation, task);
    register(task);
    enqueue(task);
  }

  /** Queues a task that says it can go on, if that can be true. */
  private void wake(Task task) {
    if (!task.queued && !task.suspended && task.state != Fiber.State.DONE) {
      enqueue(task);
    }
  }

  private void enqueue(Task task) {
    task.queued = true;
    task.state = Fiber.State.READY;
    ready.add(task);
  }

  // ---- the pass

  /** Takes what other threads submitted, and ends the waits of those that they interrupted. */
  void takeArrivals() {
    for (Runnable arrival; (arrival = inbox.take()) != null; ) {
      if (arrival instanceof Task task) {
        takeArrival(task);
      } else {
        wakeAdopted(arrival);
      }
    }
    if (interruptsPending) {
      interruptsPending = false;
      for (Task t = firstAlive; t != null; t = t.nextAlive) {
        endIfInterrupted(t);
      }
    }
  }

  private void takeArrival(Task task) {
    task.arrived();
    if (!task.known) {
      register(task);
      arriving.decrementAndGet();
    }
    wake(task);
  }

  private void endIfInterrupted(Task task) {
    if (task.suspended && task.request == null && task.isInterrupted()) {
      end(task, Task.Outcome.CANCELLED);
    }
  }

  /** If a resume is possible without a look. */
  boolean isReady() {
    return !ready.isEmpty();
  }

  /** Looks if it is time to; blocks for at most {@code limitNanos} when nothing is ready. */
  void lookIfDue(long limitNanos) {
    if (ready.isEmpty()) {
      look(idleNanos(limitNanos));
    } else if (sinceLook >= BATCH || lookWanted) {
      look(0);
    }
  }

  /** Resumes at most 64 of those in the queue; returns how many. */
  int resumeBatch() {
    int most = Math.min(BATCH, ready.size());
    int count = 0;
    while (count < most && !ready.isEmpty()) { // a fiber that drives takes from the queue, too
      resumeNext();
      count++;
    }
    return count;
  }

  /** Resumes the next in the queue. */
  void resumeNext() {
    Task task = ready.take();
    task.queued = false;
    sinceLook++;
    resume(task);
    // A fiber that drives stepped aside for that; it goes on ahead of the queue.
    for (Driver.Request request; (request = task.request) != null; ) {
      request.serve();
      task.request = null;
      task.suspended = false;
      resume(task);
    }
  }

  private void resume(Task task) {
    task.state = Fiber.State.RUNNING;
    running = task;
    Runnable continuation = task.continuation;
    if (continuation != null) {
      continuation.run();
    }
    running = null;
    if (task.isAdopted() && task.thread != null && !task.thread.isAlive()) {
      task.state = Fiber.State.DONE;
    }
    if (task.state == Fiber.State.DONE) {
      unregister(task);
    } else if (task.state == Fiber.State.RUNNING) {
      task.state = Fiber.State.BLOCKED;
    }
  }

  /** How long a look may block: until the limit, the next timer, or the next sweep. */
  private long idleNanos(long limitNanos) {
    long nanos = limitNanos;
    Task next = timers.first();
    if (nanos != 0 && next != null) {
      nanos = Times.shorter(nanos, Math.max(0, next.deadlineNanos - clock.nanoTime()));
    }
    return poller.size() > 0 ? Times.shorter(nanos, SWEEP_NANOS) : nanos;
  }

  private void look(long timeoutNanos) {
    sinceLook = 0;
    lookWanted = false;
    boolean woken = timeoutNanos == 0 ? poller.poll(0, collect) : block(timeoutNanos);
    if (woken) {
      waker.drain();
      takeArrivals();
    }
    expireTimers();
    if (seen.size() > 1) {
      seen.sort(Comparator.comparingLong(Wait::order));
    }
    for (Task task : seen) {
      deliver(task, Task.Outcome.READY);
    }
    seen.clear();
  }

  private boolean block(long timeoutNanos) {
    if (!waker.isOpen()) {
      // The eventfd may get the number of a descriptor that was closed while it is waited for, and
      // whoever waits for that number would sleep for ever. So look first who does.
      poller.poll(0, collect);
      if (!seen.isEmpty()) {
        return false;
      }
      openWaker();
    }
    waker.fallAsleep();
    try {
      boolean work = returnSoon || interruptsPending || !inbox.isEmpty();
      return poller.poll(work ? 0 : timeoutNanos, collect);
    } finally {
      waker.wakeUp();
    }
  }

  private void openWaker() {
    try {
      poller.wakeBy(waker.open());
    } catch (ErrnoException e) {
      throw new IllegalStateException("the driver cannot block: " + e.getMessage(), e);
    }
  }

  private void collect(Wait wait) {
    Task task = (Task) wait;
    task.suspended = false; // the wait is over, whatever comes meanwhile
    seen.add(task);
  }

  private void expireTimers() {
    Task task = timers.first();
    if (task == null) {
      return;
    }
    long now = clock.nanoTime();
    for (; task != null && task.deadlineNanos - now <= 0; task = timers.first()) {
      timers.remove(task);
      if (task.suspended) {
        task.suspended = false;
        if (task.isRegistered()) {
          poller.remove(task);
        }
        deliver(task, Task.Outcome.TIMEOUT);
      }
    }
  }

  // ---- waits

  /** Registers what the running fiber waits for. {@code fd} -1: nothing but time. */
  int register(Task task, int fd, int mode, long timeoutNanos) {
    task.ask(fd, mode, nextOrder++);
    if (fd >= 0) {
      int result = poller.add(task);
      if (result < 0) {
        return result;
      }
    }
    if (timeoutNanos >= 0) {
      task.deadlineNanos = clock.nanoTime() + timeoutNanos;
      timers.add(task);
      lookWanted |= timeoutNanos == 0;
    }
    return 0;
  }

  /** Takes what the running fiber registered off again. */
  void withdraw(Task task) {
    task.suspended = false;
    if (task.timerIndex >= 0) {
      timers.remove(task);
    }
    if (task.isRegistered()) {
      poller.remove(task);
    }
  }

  /** Ends a wait before it is ready or expired. */
  void end(Task task, Task.Outcome outcome) {
    withdraw(task);
    task.outcome = outcome;
    enqueue(task);
  }

  private void deliver(Task task, Task.Outcome outcome) {
    if (task.timerIndex >= 0) {
      timers.remove(task);
    }
    task.outcome = outcome;
    task.deliveredAt = closingCount;
    delivered++;
    enqueue(task);
  }

  /** The fiber goes on with what was delivered; tells if the descriptor was closed meanwhile. */
  boolean takeDelivery(Task task) {
    delivered--;
    Long closed = closings.isEmpty() ? null : closings.get(task.fd());
    if (delivered == 0) {
      closings.clear();
    }
    return closed != null && closed >= task.deliveredAt;
  }

  /** A descriptor is about to be closed: wakes who waits for it, also those already queued. */
  void closing(int fd) {
    poller.removeAll(fd, wait -> end((Task) wait, Task.Outcome.CLOSED));
    if (delivered > 0) {
      closings.put(fd, closingCount++);
    }
  }

  /**
   * Unmounts the running fiber until its wait is over. False when it is pinned: nothing happened,
   * and what it registered is still there.
   */
  @SuppressWarnings("ThreadPriorityCheck") // the yield is what unmounts
  boolean suspend(Task task, Fiber.State state) {
    task.outcome = Task.Outcome.NONE;
    task.suspended = true;
    fiberInterrupts.enter();
    boolean left;
    do {
      task.state = state;
      suspending = task;
      Thread.yield();
      left = suspending == null;
    } while (left && task.suspended);
    fiberInterrupts.leave();
    if (!left) {
      suspending = null;
      task.suspended = false;
    }
    task.state = Fiber.State.RUNNING;
    return left;
  }

  // ---- the registry

  private void register(Task task) {
    task.previousAlive = lastAlive;
    if (lastAlive == null) {
      firstAlive = task;
    } else {
      lastAlive.nextAlive = task;
    }
    lastAlive = task;
    task.known = true;
    alive++;
  }

  private void unregister(Task task) {
    Task before = task.previousAlive;
    Task after = task.nextAlive;
    task.nextAlive = null; // or a handle that somebody keeps would keep all that came later
    task.previousAlive = null;
    if (before == null) {
      firstAlive = after;
    } else {
      before.nextAlive = after;
    }
    if (after == null) {
      lastAlive = before;
    } else {
      after.previousAlive = before;
    }
    alive--;
    if (task.isAdopted() && task.continuation != null) {
      adopted.remove(task.continuation);
    }
    wakeJoiners(task);
  }

  private void wakeJoiners(Task task) {
    List<Task> joiners = task.joiners;
    if (joiners != null) {
      task.joiners = null;
      for (Task joiner : joiners) {
        if (joiner.suspended) {
          end(joiner, Task.Outcome.JOINED);
        }
      }
    }
  }

  /** Gives a task up that does not end. */
  void abandon(Task task) {
    withdraw(task);
    if (task.queued) {
      task.queued = false;
      ready.remove(task);
    }
    task.state = Fiber.State.DONE;
    unregister(task);
    if (task.isAdopted() && task.continuation != null) {
      adopted.put(task.continuation, task); // or its later unparks would be those of a new fiber
    }
  }

  /** An exception left the body of a fiber. Runs in that fiber. */
  void failed(Task task, Throwable t) {
    task.failure = t;
    if (!Reports.isCancel(task, t)) {
      try {
        onUncaught.accept(task.fiber, t);
      } catch (Throwable second) {
        Reports.handlerFailed(task, second);
      }
    }
  }

  /** Frees what the scheduler holds; nobody drives any more. */
  void free() {
    waker.close();
    poller.close();
  }
}
