package dev.fdfiber;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.poller.Poller;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The scheduler's loop: whose turn it is.
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
 * <p><b>Stack dumps interfere.</b> While another thread takes the stack of an unmounted fiber, a
 * run of its continuation does nothing, and afterwards the JDK submits it again, needed or not. So
 * a fiber that left by a yield of ours counts when it comes back from it, and a run that did not
 * get it there is repeated at once, or the fiber would lose its turn. A submission of a fiber that
 * is in a wait of ours is dropped, any other is honoured once, and a fiber that finds itself
 * resumed before its wait is over suspends again.
 *
 * <p>Everything here is the driver's, or the fiber's that runs on it, but for what says otherwise.
 */
final class Loop {
  /** Resumes between two looks, and in one pass. */
  static final int BATCH = 64;

  private static final AtomicReferenceFieldUpdater<Loop, @Nullable Thread> DRIVER =
      AtomicReferenceFieldUpdater.newUpdater(Loop.class, Thread.class, "driver");

  final Scheduler scheduler;
  final Kernel kernel;
  final Clock clock;
  final Waker waker;
  final Inbox inbox;
  final Registry registry = new Registry();
  final Waits waits;
  final Alarms alarms = new Alarms();
  final Map<Thread, ScopeOwner> owners = new ConcurrentHashMap<>();
  final Map<Task, Task> joining = new ConcurrentHashMap<>();
  final Map<Task, Offload<?>> offloads = new ConcurrentHashMap<>();
  final boolean strict;
  private final @Nullable Steering steering; // null but in tests
  private final Resources resources;
  private final BiConsumer<Fiber, Throwable> onUncaught;
  private final ReadyQueue ready;
  private final Interrupts fiberInterrupts = new Interrupts(this::fiberInterrupted);
  private final BooleanSupplier otherWork = this::hasOtherWork;
  private final Consumer<Task> timeUp = this::timeUp;
  private final Consumer<Task> seenReady = this::seenReady;

  private final AtomicReference<@Nullable Observers> wantedObservers = new AtomicReference<>();
  private @Nullable Observers observers; // those, taken over between two resumes; null for none
  private @Nullable PollerKind observedPoller; // at the last look that was observed

  private boolean hosted; // by a loop that waits for pollFd
  private int sinceLook;
  private long resumes; // read by the watch, which needs no fence
  private @Nullable Task running;
  private @Nullable Task suspending;
  private @Nullable Thread cancelling;

  private volatile boolean interruptsPending;

  /** The thread that drives now, if one does; see {@link #claim}. Any thread may look. */
  volatile @Nullable Thread driver;

  /** The driving call is to return at the end of its pass, so no look may block. Any thread. */
  volatile boolean stopRequested;

  /** The same, because the driver was interrupted. Any thread. */
  volatile boolean driverInterrupted;

  Loop(Scheduler scheduler, Scheduler.Builder options) {
    this.scheduler = scheduler;
    this.kernel = options.kernel();
    this.clock = options.clock;
    this.strict = options.strict;
    this.onUncaught = options.onUncaught;
    this.steering = options.steering;
    this.ready = new ReadyQueue(steering);
    Poller poller = options.poller.over(kernel);
    this.waker = new Waker(kernel);
    this.inbox = new Inbox(waker);
    this.waits = new Waits(clock, poller, waker, alarms);
    this.resources = Resources.of(scheduler, waker, poller);
  }

  /** Frees what the scheduler holds; nobody drives any more. */
  void free() {
    resources.free();
  }

  // ---- any thread

  /** Makes the caller the one thread that drives; false if another does. */
  boolean claim(Thread me) {
    return DRIVER.compareAndSet(this, null, me);
  }

  /** If the caller is the thread that drives, or a fiber on it. */
  boolean isOnDriver() {
    Thread me = Thread.currentThread();
    if (me == driver) {
      return true;
    }
    return me.isVirtual()
        && VirtualThreads.executorOf(me) instanceof Task task
        && task.loop == this
        && driver != null;
  }

  /** What runs now; meaningful to a fiber of this loop only. */
  @Nullable Task running() {
    return running;
  }

  /** How many there were; for {@link HeldWatch}, which sees it a little late. */
  long resumes() {
    return resumes;
  }

  /** Adds an observer, which is told of what happens from the next pass on. */
  void attach(Observer observer) {
    wantedObservers.updateAndGet(all -> Observers.with(this, all, observer));
    waker.signal();
  }

  /** Takes an observer off; false if it was not there. */
  boolean detach(Observer observer) {
    Observers before = wantedObservers.getAndUpdate(all -> Observers.without(all, observer));
    waker.signal();
    return before != null && before.has(observer);
  }

  /** A fiber has held the driver, says {@link HeldWatch}. */
  void held(Task task, long nanos, List<StackTraceElement> stack) {
    Observers watching = wantedObservers.get();
    if (watching != null) {
      watching.held(task, nanos, stack);
    }
  }

  /** How many wait for their turn. */
  int readyCount() {
    return ready.size();
  }

  boolean isAnyReady() {
    return !ready.isEmpty() || !inbox.isEmpty();
  }

  /** All fibers that are alive, weakly consistent. */
  List<Task> tasks() {
    List<Task> tasks = registry.tasks();
    for (Runnable arrival : inbox.peek()) {
      if (arrival instanceof Task task && !task.known) {
        tasks.add(task);
      }
    }
    return tasks;
  }

  String closedMessage() {
    return "the scheduler is closed; make another with Scheduler.create()";
  }

  /** Cancels a fiber; see {@link Fiber#cancel}. */
  void cancel(Task task) {
    ScopeOwner owner = ownerOf(task);
    if (owner == null || !owner.defersCancel()) {
      interrupt(task);
    }
  }

  /** What a fiber has of scopes and shields, or null. */
  @Nullable ScopeOwner ownerOf(Task task) {
    Thread thread = task.thread;
    return thread == null ? null : owners.get(thread);
  }

  /** Interrupts a fiber: it ends the wait that it is in. */
  void interrupt(Task task) {
    Thread thread = task.thread;
    if (thread == null) {
      return;
    }
    if (!isOnDriver()) {
      thread.interrupt();
      if (task.suspended) {
        task.arrive(); // it takes its place among what arrives
      }
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
      wake(now);
    } else if (owner.continuation == continuation) {
      wake(owner);
    } else if (owner.continuation == null) {
      owner.continuation = continuation;
      registry.add(owner);
      tellSpawned(owner);
      enqueue(owner);
    } else {
      wakeAdopted(continuation);
    }
  }

  private void wakeAdopted(Runnable continuation) {
    Task task = registry.adopted(continuation);
    if (task == null) {
      adopt(continuation);
    } else {
      wake(task);
    }
  }

  private void adopt(Runnable continuation) {
    Thread thread = VirtualThreads.threadOf(continuation);
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
    registry.adopt(continuation, task);
    tellSpawned(task);
    enqueue(task);
  }

  private void tellSpawned(Task task) {
    if (observers != null) {
      observers.spawned(task, waits.readClock());
    }
  }

  /** Queues a task that says it can go on, if that can be true. */
  private void wake(Task task) {
    if (!task.queued && !task.suspended && task.listed) {
      enqueue(task);
    }
  }

  private void enqueue(Task task) {
    task.queued = true;
    ready.add(task);
    nowReady(task);
  }

  private void nowReady(Task task) {
    Observers watching = observers;
    if (watching != null && task != running) { // else it yields
      watching.ready(task, running, running == null ? waits.now() : waits.readClock());
    }
    become(task, Fiber.State.READY);
  }

  private void become(Task task, Fiber.State state) {
    task.sinceNanos = waits.now();
    task.setState(state);
  }

  // ---- as a guest of another loop

  /** From now on this is driven when a descriptor is readable, which it returns. */
  int pollFd() throws ErrnoException {
    int fd = waits.pollFd();
    hosted = true;
    return fd;
  }

  /**
   * The driving call ends. What its fibers wait for has to be known to the kernel by then, and what
   * comes from now on has to signal: the host looks once more, at {@code nextWakeNanos}, before it
   * blocks.
   */
  void leaveToHost() {
    if (hosted) {
      if (ready.isEmpty()) {
        look(0);
      }
      waker.fallAsleep();
    }
  }

  // ---- the pass

  /** Takes what other threads submitted, and ends the waits of those that they interrupted. */
  void takeArrivals() {
    takeObservers();
    for (Runnable arrival; (arrival = inbox.take()) != null; ) {
      if (arrival instanceof Task task) {
        takeArrival(task);
      } else if (arrival instanceof Errand<?> errand) {
        errand.run();
      } else {
        wakeAdopted(arrival);
      }
    }
    if (interruptsPending) {
      interruptsPending = false;
      for (Task t = registry.first(); t != null; t = t.nextAlive) {
        endIfInterrupted(t);
      }
    }
  }

  private void takeObservers() {
    Observers wanted = wantedObservers.get();
    if (wanted != observers) {
      observers = wanted;
      observedPoller = waits.pollerKind();
    }
    if (wanted != null) {
      waits.readClock();
    }
  }

  private void takeArrival(Task task) {
    task.arrived();
    if (registry.addArrived(task)) {
      tellSpawned(task);
    }
    endIfInterrupted(task);
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
      if (steering == null) {
        look(waits.idleNanos(limitNanos));
      } else if (mustBlock(steering, limitNanos)) {
        look(waits.idleNanos(Times.shorter(limitNanos, steering.idleAgainNanos())));
      }
    } else if (sinceLook >= BATCH || waits.isLookWanted() || isLookSteered()) {
      waits.sweepIfDue();
      look(0);
    }
  }

  private boolean isLookSteered() {
    return steering != null && sinceLook > 0 && steering.looksEarly();
  }

  /** Looks without blocking; when nothing comes of that, the steering decides. */
  private boolean mustBlock(Steering steering, long limitNanos) {
    if (limitNanos == 0 || hasOtherWork()) {
      return true; // and that look will not block
    }
    look(0);
    if (!ready.isEmpty() || hasOtherWork()) {
      return false;
    }
    if (!steering.idle(waits.timerNanos(), limitNanos)) {
      return ready.isEmpty(); // to take a fiber's stack may submit it, here and without a signal
    }
    look(0);
    return false;
  }

  private void look(long timeoutNanos) {
    Observers watching = observers;
    if (watching == null) {
      lookOnce(timeoutNanos);
      return;
    }
    long start = waits.readClock();
    int resumed = sinceLook;
    int before = ready.size();
    lookOnce(timeoutNanos);
    watching.looked(resumed, ready.size() - before, start, waits.now());
    PollerKind poller = waits.pollerKind();
    if (poller != observedPoller) {
      observedPoller = poller;
      watching.pollerSwitched(poller, waits.now());
    }
  }

  private void lookOnce(long timeoutNanos) {
    sinceLook = 0;
    Poller.Look look =
        timeoutNanos == 0 ? lookWithoutBlocking() : waits.block(timeoutNanos, otherWork);
    waits.readClock();
    if (look == Poller.Look.INTERRUPTED) {
      return; // no timer ends by a look that did not see the descriptors
    }
    if (look == Poller.Look.WOKEN) {
      waker.drain();
      takeArrivals();
    }
    waits.handOut(timeUp, seenReady);
  }

  /** With no descriptor to ask about there is nothing to see, but for a signal that a host sees. */
  private Poller.Look lookWithoutBlocking() {
    return waits.anyForFds() || hosted ? waits.poll() : Poller.Look.DONE;
  }

  private boolean hasOtherWork() {
    return stopRequested
        || driverInterrupted
        || interruptsPending
        || !inbox.isEmpty()
        || observers != wantedObservers.get();
  }

  private void timeUp(Task task) {
    over(task, Task.Outcome.TIMEOUT);
  }

  private void seenReady(Task task) {
    over(task, Task.Outcome.READY);
  }

  private void over(Task task, Task.Outcome outcome) {
    task.suspended = false;
    task.setOutcome(outcome);
    enqueue(task);
  }

  /** Resumes at most 64 of those in the queue, fewer when a look is due; returns how many. */
  int resumeBatch() {
    int most = ready.size();
    int count = 0;
    // A fiber that drives takes from the queue too, so both are asked again each time.
    while (count < most && sinceLook < BATCH && !ready.isEmpty()) {
      if (count > 0 && isLookSteered()) {
        look(0);
      }
      resumeNext();
      count++;
    }
    return count;
  }

  /**
   * Resumes the next in the queue. A fiber that drives stepped aside for that: its call is served,
   * and it goes on ahead of the queue. When it then drives again it keeps its place at the head,
   * but first the call around this one, if that has what it wants, can return.
   */
  void resumeNext() {
    Task task = ready.take();
    task.queued = false;
    sinceLook++;
    if (task.request == null) {
      resume(task);
    }
    Driver.Request request = task.request;
    if (request != null) {
      request.serve();
      task.request = null;
      task.suspended = false;
      nowReady(task);
      resume(task);
      if (task.request != null) {
        task.queued = true;
        ready.addFirst(task);
      }
    }
  }

  private void resume(Task task) {
    if (!task.listed) {
      return; // given up
    }
    Thread me = driver;
    if (me != null && me.isInterrupted()) {
      driverInterrupted = true; // mounting clears the status
    }
    if (observers != null) {
      observers.resumes(task, task.sinceNanos, waits.now());
    }
    become(task, Fiber.State.RUNNING);
    resumes++;
    running = task;
    Runnable continuation = task.continuation;
    if (continuation != null) {
      run(task, continuation);
    }
    hasLeft(task);
    running = null;
  }

  private void hasLeft(Task task) {
    boolean over = task.thread != null && !task.thread.isAlive();
    if (over) {
      task.setState(Fiber.State.DONE);
    } else if (task.is(Fiber.State.RUNNING)) {
      become(task, Fiber.State.BLOCKED);
    }
    if (observers != null) {
      long now = waits.readClock();
      task.sinceNanos = now;
      observers.left(task, task.lastState(), now);
    }
    if (over) {
      ended(task);
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // lets the thread that takes the stack finish
  private static void run(Task task, Runnable continuation) {
    boolean left = task.left;
    task.returned = false;
    continuation.run();
    while (left && !task.returned) {
      Thread.yield();
      continuation.run();
    }
  }

  private void ended(Task task) {
    if (registry.remove(task)) {
      wakeJoiners(task);
      ScopeOwner owner = owners.isEmpty() ? null : ownerOf(task);
      if (owner != null) {
        owner.ended();
      }
    }
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

  /** Gives a task up that does not end: it never runs again, whoever wakes it. */
  void abandon(Task task) {
    task.abandoned = true;
    joining.remove(task);
    offloads.remove(task);
    task.suspended = false;
    waits.withdraw(task);
    if (task.queued) {
      task.queued = false;
      ready.remove(task);
    }
    task.setState(Fiber.State.DONE);
    if (observers != null) {
      observers.left(task, Fiber.State.DONE, waits.readClock());
    }
    ended(task);
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

  // ---- suspending

  /** Ends a wait before it is ready or expired. */
  private void end(Task task, Task.Outcome outcome) {
    waits.withdraw(task);
    over(task, outcome);
  }

  /** A descriptor is about to be closed: wakes who waits for it, also those already queued. */
  void closing(int fd) {
    waits.closing(fd, task -> end(task, Task.Outcome.CLOSED));
  }

  /**
   * Unmounts the running fiber until its wait is over. False when it is pinned: then nothing
   * happened, and what it registered is withdrawn. So it is when this cannot be done at all, for
   * want of stack.
   */
  boolean suspend(Task task, Fiber.State state) {
    task.setOutcome(Task.Outcome.NONE);
    task.suspended = true;
    try {
      fiberInterrupts.stay();
      do {
        become(task, state);
        suspending = task;
        leave(task);
      } while (suspending == null && task.suspended);
    } catch (Throwable t) {
      stayed(task);
      throw t;
    }
    fiberInterrupts.leaveUnlessStaying();
    if (suspending != null) {
      stayed(task);
      return false;
    }
    task.setState(Fiber.State.RUNNING);
    return true;
  }

  private void stayed(Task task) {
    suspending = null;
    task.suspended = false;
    task.left = false;
    waits.withdraw(task);
    task.setState(Fiber.State.RUNNING);
  }

  /** Yields: the executor queues the fiber, unless it is {@link #suspending}. */
  @SuppressWarnings("ThreadPriorityCheck") // the yield is what unmounts
  void leave(Task task) {
    task.left = true;
    Thread.yield();
    task.left = false;
    task.returned = true;
  }
}
