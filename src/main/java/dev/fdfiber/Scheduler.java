package dev.fdfiber;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.poller.Registration;
import dev.fdfiber.poller.Wait;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Runs fibers on one thread, cooperatively, and lets them wait for time and for any file
 * descriptor.
 *
 * <p>The thread that calls {@link #run}, {@link #runFor}, {@link #runUntilEmpty} or {@link #tick}
 * is the driver: it carries every fiber and is the only one that polls. A fiber runs until it
 * parks, yields or ends; nothing preempts it. The order of resumes depends on the inputs alone.
 *
 * <p>Fibers are virtual threads: they block in the JDK's own calls like any other, and a virtual
 * thread that a fiber starts by itself is a fiber of the same scheduler.
 */
public final class Scheduler implements Executor, AutoCloseable {
  /** The bit for reading, in a mode. */
  public static final int READ = Wait.READ;

  /** The bit for writing, in a mode. */
  public static final int WRITE = Wait.WRITE;

  /** The one that this platform thread drove last. */
  private static final ThreadLocal<Scheduler> DRIVEN = new ThreadLocal<>();

  /** The one that was made for this platform thread because it asked. */
  private static final ThreadLocal<Scheduler> OWN = new ThreadLocal<>();

  private final String name;
  private final Loop loop;
  private final Driver driver;

  private Scheduler(Builder options) {
    VirtualThreads.requireUsable(); // or the first fiber would be the one to fail
    Reports.load();
    this.name = options.name;
    this.loop = new Loop(this, options);
    this.driver = new Driver(loop, "scheduler " + name);
    long limit = Times.limitNanos(options.heldLimit);
    if (limit > 0) {
      HeldWatch.over(loop, "scheduler " + name, limit);
    }
    Schedulers.made(this);
  }

  /**
   * A scheduler with the defaults of {@link #builder}. It holds no descriptor until it first
   * blocks.
   *
   * @throws IllegalStateException that shows the line to add, if {@code java.lang} is not open
   * @throws UnsupportedOperationException on anything but Linux on x86-64 or aarch64, or in a JVM
   *     that has no continuations
   * @throws IllegalArgumentException if {@code -Ddev.fdfiber.poller} is none of auto, poll, epoll
   */
  public static Scheduler create() {
    return builder().build();
  }

  /**
   * The choices that a scheduler is made with.
   *
   * @throws IllegalArgumentException if {@code -Ddev.fdfiber.poller} is none of auto, poll, epoll
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The scheduler of the calling fiber; in a platform thread the one that it drove last, if that is
   * still open, else one of its own, made at the first call.
   *
   * @throws IllegalStateException in a virtual thread that is no fiber
   */
  public static Scheduler current() {
    Task task = Task.current();
    if (task != null) {
      return task.loop.scheduler;
    }
    Thread me = Thread.currentThread();
    if (me.isVirtual()) {
      throw new IllegalStateException(
          me + " is a virtual thread but no fiber, and cannot drive a scheduler of its own");
    }
    Scheduler here = open(DRIVEN.get());
    if (here == null) {
      here = open(OWN.get());
    }
    if (here == null) {
      here = builder().name("of " + me.getName()).build();
      OWN.set(here);
    }
    return here;
  }

  private static @Nullable Scheduler open(@Nullable Scheduler scheduler) {
    return scheduler == null || scheduler.driver.shutdown().isClosed() ? null : scheduler;
  }

  /** If the caller is a fiber, of any scheduler. */
  public static boolean inFiber() {
    return Task.current() != null;
  }

  // ---- fibers

  /**
   * Makes a fiber, to run when its turn comes. Any thread; does not suspend.
   *
   * @throws IllegalStateException after {@link #close}
   */
  public Fiber spawn(FiberBody body) {
    return start(null, Objects.requireNonNull(body, "body"));
  }

  /**
   * Makes a fiber with a name, to run when its turn comes. Any thread; does not suspend.
   *
   * @throws IllegalStateException after {@link #close}
   */
  public Fiber spawn(String name, FiberBody body) {
    return start(Objects.requireNonNull(name, "name"), Objects.requireNonNull(body, "body"));
  }

  /**
   * Spawns a fiber that runs the task. Any thread; does not suspend.
   *
   * @throws RejectedExecutionException after {@link #close}
   */
  @Override
  public void execute(Runnable task) {
    Objects.requireNonNull(task, "task");
    try {
      start(null, task::run);
    } catch (IllegalStateException closed) {
      throw new RejectedExecutionException(closed.getMessage(), closed);
    }
  }

  /**
   * A factory whose threads are fibers of this scheduler from their start on. Any thread. After
   * {@link #close} it makes none, IllegalStateException, and what it made before does not start,
   * RejectedExecutionException.
   */
  public ThreadFactory threadFactory() {
    return runnable -> {
      Objects.requireNonNull(runnable, "runnable");
      return threadOf(prepare(null, runnable::run));
    };
  }

  private Fiber start(@Nullable String name, FiberBody body) {
    Task task = prepare(name, body);
    start(task);
    return task.fiber;
  }

  void start(Task task) {
    try {
      threadOf(task).start();
    } catch (RejectedExecutionException closed) {
      throw new IllegalStateException(closed.getMessage(), closed);
    }
  }

  /** Makes a fiber that has not started. */
  Task prepare(@Nullable String name, FiberBody body) {
    driver.shutdown().requireOpen();
    Task task = new Task(loop, name, body);
    task.thread = VirtualThreads.make(task, name, task);
    return task;
  }

  private static Thread threadOf(Task task) {
    return Objects.requireNonNull(task.thread);
  }

  // ---- driving

  /**
   * Resumes the one fiber whose turn it is. If none is ready, polls for at most the given time, and
   * never longer than the next timer needs. In a fiber of this scheduler another one gets the turn.
   *
   * @param pollTimeoutMillis 0 does not block; -1 has no end
   * @return if a fiber was resumed; false at once when none is alive
   * @throws WrongThreadException if another thread owns this scheduler
   * @throws IllegalStateException in a virtual thread that is no fiber of it, or after close
   */
  public boolean tick(int pollTimeoutMillis) {
    return driver.tick(pollTimeoutMillis);
  }

  /**
   * Resumes fibers until none is ready. Never blocks.
   *
   * @return how many resumes there were
   * @throws WrongThreadException if another thread owns this scheduler
   * @throws IllegalStateException in a virtual thread that is no fiber of it, or after close
   */
  public int runUntilEmpty() {
    return driver.runUntilEmpty();
  }

  /**
   * Resumes fibers until the time has passed or none is alive, and blocks while none is ready.
   * Returns early like {@link #run}. Zero or less is one pass that does not block.
   *
   * @throws IllegalArgumentException if {@code seconds} is NaN
   * @throws WrongThreadException if another thread owns this scheduler
   * @throws IllegalStateException in a virtual thread that is no fiber of it, or after close
   */
  public void runFor(double seconds) {
    driver.runFor(Times.limitNanos(seconds));
  }

  /** Like {@link #runFor(double)}; anything over 146 years has no end. */
  public void runFor(Duration time) {
    driver.runFor(Times.limitNanos(time));
  }

  /**
   * Resumes fibers until none is alive, and blocks while none is ready. Returns early after {@link
   * #stop}, and with the interrupt status set when the driver is interrupted.
   *
   * @throws WrongThreadException if another thread owns this scheduler
   * @throws IllegalStateException in a virtual thread that is no fiber of it, or after close
   */
  public void run() {
    driver.runFor(Times.FOREVER);
  }

  /**
   * Makes the driving call return at the end of its pass; when none is under way, the next one. Any
   * thread; does not suspend.
   */
  public void stop() {
    driver.stop();
  }

  /**
   * Says that a descriptor is about to be closed: in the caller's scheduler, everybody who waits
   * for it wakes with ClosedChannelException. To be called before close(2), with nothing that
   * suspends in between. Does nothing where the caller has no scheduler.
   */
  public static void closing(int fd) {
    Task task = Task.current();
    if (task != null) {
      task.loop.closing(fd);
    } else if (!Thread.currentThread().isVirtual()) {
      Scheduler driven = open(DRIVEN.get());
      if (driven != null && driven.driver.isOwner(Thread.currentThread())) {
        driven.loop.closing(fd);
      }
    }
  }

  /**
   * Makes this scheduler the guest of another loop, which waits for this descriptor and then calls
   * {@link #runUntilEmpty}. It is readable when a descriptor that a fiber waits for is ready, and
   * from now on at every submission by another thread, or by this one between two driving calls.
   * Timers it does not show: the host waits for at most {@link #nextWakeNanos}, and not at all when
   * that is 0. The descriptor is this scheduler's: wait for it, but neither read nor close it.
   *
   * <p>A descriptor that is closed behind the library's back is found in a driving call only.
   *
   * @throws UnsupportedOperationException with {@link PollerKind#POLL}
   * @throws ErrnoException {@code EMFILE}, {@code ENFILE}, {@code ENOMEM}, epoll_create1(2) ERRORS
   * @throws WrongThreadException if another thread owns this scheduler
   * @throws IllegalStateException in a virtual thread that is no fiber of it, or after close
   */
  public int pollFd() throws ErrnoException {
    return driver.pollFd();
  }

  // ---- parking

  /**
   * Suspends the calling fiber for at least the given time; 0 yields. In any other thread it
   * sleeps.
   *
   * @param seconds rounded up to nanoseconds; infinity has no end
   * @throws IllegalArgumentException if {@code seconds} is NaN or negative
   * @throws InterruptedException if the caller is cancelled or interrupted, or was before the call
   */
  public static void pause(double seconds) throws InterruptedException {
    pauseNanos(Times.pauseNanos(seconds));
  }

  /**
   * Suspends the calling fiber for at least the given time; 0 yields. In any other thread it
   * sleeps.
   *
   * @throws IllegalArgumentException if the time is negative
   * @throws InterruptedException if the caller is cancelled or interrupted, or was before the call
   */
  public static void pause(Duration time) throws InterruptedException {
    pauseNanos(Times.pauseNanos(time));
  }

  private static void pauseNanos(long nanos) throws InterruptedException {
    Task task = Task.current();
    if (task != null) {
      Parking.pause(task, nanos);
    } else {
      Thread.sleep(nanos < 0 ? Duration.ofSeconds(Long.MAX_VALUE) : Duration.ofNanos(nanos));
    }
  }

  /**
   * Suspends the calling fiber until the descriptor is ready or the time is up; in any other thread
   * it blocks. Level-triggered: what is there already is seen in the next pass. An error or a
   * hang-up counts as all that was asked for, so that the call which follows tells the cause.
   *
   * @param mode {@link #READ}, {@link #WRITE} or both
   * @param timeoutSeconds rounded up to nanoseconds; negative or infinite waits without end; 0 lets
   *     one look go by
   * @return the bits of the mode that were seen, 0 when the time was up
   * @throws ErrnoException {@code EBADF} if the descriptor is not open, poll(2) POLLNVAL; {@code
   *     ENOMEM}, {@code ENOSPC}, epoll_ctl(2) ERRORS; outside a fiber, where it takes an eventfd
   *     that an interrupt writes to, {@code EMFILE}, {@code ENFILE}, eventfd(2) ERRORS
   * @throws java.nio.channels.ClosedChannelException if it is closed meanwhile, see {@link
   *     #closing}
   * @throws IllegalArgumentException for any other mode, or a timeout that is NaN
   * @throws InterruptedException if the caller is cancelled or interrupted, or was before the call
   */
  public static int ioWait(int fd, int mode, double timeoutSeconds)
      throws IOException, InterruptedException {
    return ioWaitNanos(fd, mode, Times.timeoutNanos(timeoutSeconds));
  }

  /** Like {@link #ioWait(int, int, double)}. */
  public static int ioWait(int fd, int mode, Duration timeout)
      throws IOException, InterruptedException {
    return ioWaitNanos(fd, mode, Times.timeoutNanos(timeout));
  }

  /**
   * Like {@link #ioWait(int, int, Duration)} for several descriptors at once: suspends until one is
   * ready or the time is up. One that is not open, or is closed meanwhile, ends the wait too.
   *
   * @param fds the descriptors; one may be there more than once
   * @param modes what to wait for, for each of them
   * @param timeout negative waits without end
   * @return for each what was seen of its mode; 0 for nothing, -1 if it is not open (any more) or
   *     cannot be waited for
   * @throws ErrnoException outside a fiber, {@code EMFILE}, {@code ENFILE}, eventfd(2) ERRORS
   * @throws IllegalArgumentException for another mode, or if the arrays differ in length
   * @throws InterruptedException if the caller is cancelled or interrupted, or was before the call
   */
  public static int[] ioWaitAny(int[] fds, int[] modes, Duration timeout)
      throws IOException, InterruptedException {
    if (fds.length != modes.length) {
      throw new IllegalArgumentException(fds.length + " descriptors, " + modes.length + " modes");
    }
    for (int i = 0; i < fds.length; i++) {
      requireMode(fds[i], modes[i]);
    }
    long nanos = Times.timeoutNanos(timeout);
    Task task = Task.current();
    return task != null
        ? Parking.ioWaitAny(task, fds, modes, nanos)
        : new BlockingWait(Kernel.system(), Clock.system()).awaitAny(fds, modes, nanos, null);
  }

  static int ioWaitNanos(int fd, int mode, long nanos) throws IOException, InterruptedException {
    return ioWaitNanos(fd, mode, nanos, null);
  }

  static int ioWaitNanos(int fd, int mode, long nanos, @Nullable Registration registration)
      throws IOException, InterruptedException {
    requireMode(fd, mode);
    Task task = Task.current();
    if (task != null) {
      return Parking.ioWait(task, fd, mode, nanos, registration);
    }
    if (fd < 0) {
      throw BlockingWait.notOpen(fd);
    }
    return new BlockingWait(Kernel.system(), Clock.system()).await(fd, mode, nanos, null);
  }

  private static void requireMode(int fd, int mode) {
    if (mode < READ || mode > (READ | WRITE)) {
      throw new IllegalArgumentException(
          "mode " + mode + " for fd " + fd + "; give READ (1), WRITE (2) or READ | WRITE (3)");
    }
  }

  // ---- registry: any thread, weakly consistent

  /** How many fibers have been started and have not ended. Any thread. */
  public int aliveCount() {
    return driver.shutdown().isClosed() ? 0 : loop.registry.aliveCount();
  }

  /** If a fiber waits for a descriptor. Any thread. */
  public boolean anyIoWaiter() {
    return !driver.shutdown().isClosed() && loop.waits.anyForFds();
  }

  /**
   * Nanoseconds from now to the earliest timer or deadline of a scope; 0 when a fiber is ready;
   * empty without any. Any thread.
   */
  public OptionalLong nextWakeNanos() {
    if (driver.shutdown().isClosed()) {
      return OptionalLong.empty();
    }
    return Snapshot.nextWakeNanos(loop);
  }

  /** How many of its fibers are in {@link Blocking#call}. Any thread. */
  public int blockingCount() {
    return loop.offloads.size();
  }

  /** Every scheduler of this JVM that is open, in the order in which they were made. Any thread. */
  public static List<Scheduler> all() {
    return Schedulers.open();
  }

  /** The fibers that are alive, in spawn order. Any thread. */
  public List<FiberInfo> fibers() {
    return driver.shutdown().isClosed() ? List.of() : Snapshot.fibers(loop);
  }

  /** What it does now. Any thread, also while a fiber holds the driver; does not suspend. */
  public SchedulerInfo info() {
    Task running = loop.running();
    return new SchedulerInfo(
        name,
        Optional.ofNullable(loop.driver),
        Optional.ofNullable(running == null ? null : running.fiber),
        loop.readyCount(),
        loop.resumes(),
        loop.waits.pollerKind());
  }

  /**
   * The stack of one fiber, without the frames that carry it. The driver takes it between two
   * resumes, and the order of resumes stays as it is. Any thread; suspends a fiber of another
   * scheduler until then.
   *
   * @param id its {@link Fiber#id}
   * @return no frames if it has not run; empty if there is no such fiber, or if the driver does not
   *     come to it within a second, because another fiber holds it
   */
  public Optional<List<StackTraceElement>> stack(long id) {
    return driver.shutdown().isClosed() ? Optional.empty() : Census.stack(loop, driver, id);
  }

  /**
   * What a program that hangs is waiting for, as text for people. First the likely culprit: the
   * fiber that holds the driver, or those that wait for each other; then the stacks, equal ones
   * once; then every fiber below who forked it, what it waits in, since where in its own code, for
   * whom, and what a descriptor that it waits for is, with its other end where that is ours.
   *
   * <p>Any thread. The driver takes the stacks between two resumes, some microseconds for each
   * fiber, and the order of resumes stays as it is. If it does not come to that within a second,
   * only the stack of the fiber that holds it is there. Reads {@code /proc}, in the caller.
   */
  public String dump() {
    return driver.shutdown().isClosed()
        ? "scheduler " + name + ": closed\n"
        : Dump.of("scheduler " + name, loop, driver);
  }

  // ---- observers: any thread

  /**
   * Adds an observer, which is told of what the loop does from its next pass on; one that is there
   * already is not added again. Any thread; does not suspend.
   *
   * @throws IllegalStateException after {@link #close}
   */
  public void attach(Observer observer) {
    Objects.requireNonNull(observer, "observer");
    driver.shutdown().requireOpen();
    loop.attach(observer);
  }

  /**
   * Takes an observer off; if it is not there nothing happens. What is under way may still be told
   * to it, up to the next pass. Any thread; does not suspend.
   */
  public void detach(Observer observer) {
    loop.detach(Objects.requireNonNull(observer, "observer"));
  }

  /**
   * Observes every scheduler of this JVM, those that are open and those that are still to be made,
   * each with an observer of its own. Any thread; does not suspend.
   *
   * @param maker makes the observer of a scheduler; called by the thread that calls this, or makes
   *     a scheduler. What it throws is reported
   */
  public static void attachToAll(Function<Scheduler, Observer> maker) {
    Schedulers.attachToAll(Objects.requireNonNull(maker, "maker"));
  }

  /**
   * Takes off what the maker has made, and makes no more; if it was not there nothing happens. Any
   * thread; does not suspend.
   */
  public static void detachFromAll(Function<Scheduler, Observer> maker) {
    Schedulers.detachFromAll(Objects.requireNonNull(maker, "maker"));
  }

  // ---- ends

  /**
   * Cancels every fiber and drives each to its end. A fiber that swallows the cancel is reported by
   * name after 5 seconds and given up. By the driver thread, outside a fiber.
   *
   * @throws WrongThreadException if another thread owns this scheduler
   * @throws IllegalStateException in a fiber of this scheduler, in any other virtual thread, or
   *     after close
   */
  public void clear() {
    driver.shutdown().clear();
  }

  /**
   * Clears, then frees what the scheduler holds; the second time does nothing. Any platform thread:
   * when another one drives, it is asked to stop first.
   *
   * @throws IllegalStateException in a fiber of this scheduler; in any other virtual thread while
   *     there are fibers to end or it is driven; or if the driver does not come back within 5
   *     seconds
   */
  @Override
  public void close() {
    driver.shutdown().close();
    Schedulers.closed(this);
  }

  /** The kernel through which this scheduler's fibers make their system calls. */
  public Kernel kernel() {
    return loop.kernel;
  }

  /** What tells this scheduler the time. */
  public Clock clock() {
    return loop.clock;
  }

  @Override
  public String toString() {
    return "scheduler " + name + " (" + aliveCount() + " fibers)";
  }

  /**
   * The name that it was made with, {@code unnamed} without one; {@code of} and the thread's name
   * if {@link #current} made it.
   */
  public String name() {
    return name;
  }

  Driver driver() {
    return driver;
  }

  Loop loop() {
    return loop;
  }

  void drivenHere() {
    if (DRIVEN.get() != this) {
      DRIVEN.set(this);
    }
  }

  /** The choices that a scheduler is made with; each has a default. */
  public static final class Builder {
    String name = "unnamed";
    Clock clock = Clock.system();
    PollerKind poller = PollerKind.byDefault();
    @Nullable Steering steering;
    boolean strict;
    Duration heldLimit = Duration.ofSeconds(10);
    BiConsumer<Fiber, Throwable> onUncaught = Reports::uncaught;
    private @Nullable Kernel kernel;

    private Builder() {}

    /** The name by which messages call it. */
    public Builder name(String name) {
      this.name = Objects.requireNonNull(name, "name");
      return this;
    }

    /** What makes its system calls; by default the machine's kernel. */
    public Builder kernel(Kernel kernel) {
      this.kernel = Objects.requireNonNull(kernel, "kernel");
      return this;
    }

    /** What tells it the time; by default the machine's monotonic clock. */
    public Builder clock(Clock clock) {
      this.clock = Objects.requireNonNull(clock, "clock");
      return this;
    }

    /** How it asks who is ready; by default as {@code -Ddev.fdfiber.poller} says, else AUTO. */
    public Builder poller(PollerKind poller) {
      this.poller = Objects.requireNonNull(poller, "poller");
      return this;
    }

    /**
     * Explores: instead of first in, first out, each turn goes to a random one of those that are
     * ready. The same seed makes the same choices. Takes the place of {@link #steering}.
     */
    public Builder seed(long seed) {
      return steering(new SeededOrder(seed));
    }

    /** What takes the decisions that its contract leaves open; by default nothing does. */
    public Builder steering(Steering steering) {
      this.steering = Objects.requireNonNull(steering, "steering");
      return this;
    }

    /**
     * If a wait made while pinned is an IllegalStateException, and not a report and a held driver,
     * as it is by default.
     */
    public Builder strict(boolean strict) {
      this.strict = strict;
      return this;
    }

    /**
     * How long a fiber may run without parking before that is reported, once for each method that
     * it is found in, with its stack. By default 10 seconds; zero or less is never. Real time,
     * whatever the {@link #clock}.
     */
    public Builder heldLimit(Duration limit) {
      this.heldLimit = Objects.requireNonNull(limit, "limit");
      return this;
    }

    /**
     * Gets what leaves a body, but for cancels, in the fiber that ends; and in its owner what a
     * {@link FiberScope} has not thrown. By default it is logged with the fiber's name, level
     * ERROR. What the handler throws is logged.
     */
    public Builder onUncaught(BiConsumer<Fiber, Throwable> handler) {
      this.onUncaught = Objects.requireNonNull(handler, "handler");
      return this;
    }

    /** Makes the scheduler; throws what {@link Scheduler#create} throws. */
    public Scheduler build() {
      return new Scheduler(this);
    }

    Kernel kernel() {
      return kernel == null ? Kernel.system() : kernel;
    }
  }
}
