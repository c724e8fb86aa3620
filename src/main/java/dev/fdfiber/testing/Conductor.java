package dev.fdfiber.testing;

import dev.fdfiber.Fiber;
import dev.fdfiber.FiberInfo;
import dev.fdfiber.Observer;
import dev.fdfiber.Scheduler;
import dev.fdfiber.Steering;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.OpenDescriptors;
import dev.fdfiber.kernel.PollFds;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import org.jspecify.annotations.Nullable;

/**
 * Steers the scheduler of a test: records what happens, makes the choices of an exploration, lets
 * virtual time jump, and finds deadlocks.
 */
final class Conductor implements Steering, Observer {
  private static final long IN_FLIGHT_NANOS = 5_000_000;
  private static final long MOMENT_NANOS = 1_000_000;
  private static final long IDLE_AGAIN_NANOS = 500_000_000; // a look takes stacks, which takes time

  private final @Nullable VirtualClock clock;
  private final RealTime realTime;
  private final @Nullable Choices choices;
  private final @Nullable Trace trace;
  private final World world;
  private final Lockstep lockstep;
  private final Origins origins;
  private final Trace.FdNames names;
  private @Nullable Scheduler scheduler;
  private boolean ending;
  private volatile @Nullable Thread mayWake; // what kept the last look from being a deadlock

  Conductor(
      @Nullable VirtualClock clock,
      RealTime realTime,
      @Nullable Choices choices,
      @Nullable Trace trace,
      World world,
      Lockstep lockstep,
      Origins origins,
      Trace.FdNames names) {
    this.clock = clock;
    this.realTime = realTime;
    this.choices = choices;
    this.trace = trace;
    this.world = world;
    this.lockstep = lockstep;
    this.origins = origins;
    this.names = names;
  }

  void conducts(Scheduler scheduler) {
    this.scheduler = scheduler;
  }

  /** From now on fibers that wait for ever are to be expected: they get cancelled. */
  void ends() {
    ending = true;
  }

  // ---- choices

  @Override
  public int choose(List<Fiber> ready) {
    if (choices == null || ending) {
      return 0;
    }
    int index = choices.order(ready.size());
    if (index != 0 && trace != null) {
      List<String> passed = ready.subList(0, index).stream().map(Texts::quoted).toList();
      String what = Texts.quoted(ready.get(index)) + " goes before " + String.join(", ", passed);
      choices.describe(what);
      trace.deviated(what);
    }
    return index;
  }

  @Override
  public boolean looksEarly() {
    if (choices == null || ending) {
      return false;
    }
    boolean early = choices.looksEarly();
    if (early && trace != null) {
      choices.describe("readiness is looked for early");
      trace.deviated("readiness is looked for early");
    }
    return early;
  }

  // ---- what happens

  @Override
  public void spawned(Fiber fiber, long nanos) {
    if (trace != null) {
      trace.spawned(fiber);
    }
  }

  @Override
  public void resumes(Fiber fiber, long readyNanos, long nanos) {
    mayWake = null;
    if (trace != null) {
      trace.resumes(fiber);
    }
  }

  @Override
  public void left(Fiber fiber, Fiber.State state, int fd, int mode, long nanos) {
    if (trace != null) {
      trace.left(fiber.info());
    }
  }

  // ---- time, and its end

  @Override
  public boolean idle(long timerNanos, long limitNanos) {
    mayWake = null;
    if (lockstep.wake()) {
      return true;
    }
    boolean endless = timerNanos < 0 && limitNanos < 0;
    if (clock == null && !endless && !ending) {
      return false; // real time passes
    }
    Scheduler scheduler = Objects.requireNonNull(this.scheduler);
    List<FiberInfo> fibers = scheduler.fibers();
    if (lockstep.isWaiting() && world.mayBeRead()) {
      return waitForAReader();
    }
    if (clock != null && !ending) {
      refuseSleepers(fibers);
    }
    Optional<String> opening = world.openings(fibers, scheduler.blockingCount());
    if (clock != null) {
      clock.heldBy(opening.orElse(null));
    }
    if (opening.isPresent()) {
      return false;
    }
    return endless ? isToGoOn(fibers) : jumps(fibers, shorter(timerNanos, limitNanos));
  }

  /** A thread or a child that ends, or goes idle, and wakes no fiber tells nobody. */
  @Override
  public long idleAgainNanos() {
    return IDLE_AGAIN_NANOS;
  }

  /** Without any timer: true to look again, false to wait for somebody outside. */
  private boolean isToGoOn(List<FiberInfo> fibers) {
    Activity activity = new Activity();
    boolean mayBeWoken = mayStillBeWoken(fibers);
    if (isSomethingComing(fibers)) {
      return true;
    }
    if (mayBeWoken || isAnyReady() || ending) {
      mayWake = mayBeWoken ? world.otherThread() : null;
      return false;
    }
    if (activity.isNone()) {
      throw new DeadlockError(deadlock(fibers));
    }
    waitAMoment();
    return true;
  }

  /** Lets time jump to the next timer, in a test that ends real time too. */
  private boolean jumps(List<FiberInfo> fibers, long nanos) {
    boolean mayBeWoken = clock == null && mayStillBeWoken(fibers);
    if (isSomethingComing(fibers)) {
      return true;
    }
    if (mayBeWoken || isAnyReady()) {
      return false;
    }
    if (clock == null) {
      realTime.skip(nanos);
      return true;
    }
    clock.advanceNanos(nanos);
    if (trace != null) {
      trace.jumped(nanos);
    }
    return true;
  }

  /** Loopback may be late; and a thread may have done something since the look, and have ended. */
  private boolean isSomethingComing(List<FiberInfo> fibers) {
    return isSeen(fibers, world.isInFlight(fibers) ? IN_FLIGHT_NANOS : 0);
  }

  /** If a fiber is ready, or was submitted by another thread since the look. */
  private boolean isAnyReady() {
    return Objects.requireNonNull(scheduler).nextWakeNanos().orElse(-1) == 0;
  }

  /** Nobody tells when somebody outside has read, so it is asked now and then, in real time. */
  private boolean waitForAReader() {
    if (clock != null) {
      clock.heldBy("what was written is to be read by another process or thread");
    }
    waitAMoment();
    return true;
  }

  private static void waitAMoment() {
    try (PollFds none = new PollFds(1)) {
      Kernel.system().ppoll(none.array(), 0, MOMENT_NANOS);
    }
  }

  private static long shorter(long a, long b) {
    return a < 0 || (b >= 0 && b < a) ? b : a;
  }

  private static void refuseSleepers(List<FiberInfo> fibers) {
    for (FiberInfo fiber : fibers) {
      Thread thread = fiber.thread().orElse(null);
      if (isBlockedForATime(fiber) && thread != null && sleeps(thread)) {
        throw new AssertionError(
            "fiber \""
                + fiber.name()
                + "\" is in Thread.sleep, which takes real time and no virtual time;"
                + " use Scheduler.pause:"
                + Stacks.text(Stacks.of(thread), "\n      at "));
      }
    }
  }

  private static boolean isBlockedForATime(FiberInfo fiber) {
    return fiber.state() == Fiber.State.BLOCKED
        && fiber
            .thread()
            .map(thread -> thread.getState() == Thread.State.TIMED_WAITING)
            .orElse(false);
  }

  private static boolean sleeps(Thread thread) {
    return Arrays.stream(thread.getStackTrace())
        .anyMatch(frame ->
            frame.getClassName().equals("java.lang.Thread")
                && frame.getMethodName().startsWith("sleep"));
  }

  private boolean mayStillBeWoken(List<FiberInfo> fibers) {
    return fibers.isEmpty()
        || fibers.stream().anyMatch(f -> isBlockedForATime(f) || world.isWokenByTheJdk(f))
        || world.otherThread() != null
        || !ForkJoinPool.commonPool().isQuiescent(); // Process.onExit completes there, for one
  }

  /** If something is ready that a fiber waits for, now or within that time. */
  private static boolean isSeen(List<FiberInfo> fibers, long nanos) {
    try (PollFds polls = new PollFds(16)) {
      int n = 0;
      for (FiberInfo fiber : fibers) {
        for (int fd : fiber.fds()) {
          int mode = fiber.mode() == 0 ? Scheduler.READ : fiber.mode();
          int events =
              ((mode & Scheduler.READ) != 0 ? Linux.POLLIN : 0)
                  | ((mode & Scheduler.WRITE) != 0 ? Linux.POLLOUT : 0);
          polls.set(n++, fd, events);
        }
      }
      return n > 0 && Kernel.system().ppoll(polls.array(), n, nanos) > 0;
    }
  }

  /** That it would be a deadlock, but for a thread; nothing if it would not. Any thread. */
  String suspicion() {
    Thread thread = mayWake;
    return thread == null
        ? ""
        : "All fibers wait and no timer runs, which is a deadlock unless thread \""
            + thread.getName()
            + "\" wakes one:"
            + Stacks.text(Stacks.of(thread), "\n      at ")
            + "\n";
  }

  private String deadlock(List<FiberInfo> fibers) {
    StringBuilder text = new StringBuilder("deadlock: ");
    text.append(fibers.size() == 1 ? "the one fiber waits" : fibers.size() + " fibers wait");
    text.append(", no timer runs, and nobody else can wake one:");
    Map<Integer, String> open = OpenFds.now();
    for (FiberInfo fiber : fibers) {
      text.append("\n  ").append(Texts.fiber(fiber, names));
      fiber
          .thread()
          .map(LockOwners::of)
          .ifPresent(owner -> text.append("\n    the lock is held by " + who(owner, fibers)));
      for (int fd : fiber.fds()) {
        text.append("\n    ").append(otherEnd(fd, open));
      }
    }
    return text.toString();
  }

  private static String who(Thread thread, List<FiberInfo> fibers) {
    return fibers.stream()
        .filter(fiber -> fiber.thread().filter(thread::equals).isPresent())
        .findFirst()
        .map(fiber -> "fiber \"" + fiber.name() + "\"")
        .orElse("thread \"" + thread.getName() + (thread.isAlive() ? "\"" : "\", which has ended"));
  }

  /** Who has the other end of what a fiber waits for. */
  private String otherEnd(int fd, Map<Integer, String> open) {
    int peer = origins.peer(fd);
    if (peer >= 0 && !open.containsKey(peer)) {
      return "the other end is closed";
    }
    if (peer < 0) {
      peer = new OpenDescriptors().otherEnds(fd).stream().findFirst().orElse(-1);
    }
    if (peer < 0) {
      return "no descriptor of this process is its other end";
    }
    String user = origins.lastUser(peer);
    return "the other end is "
        + names.numbered(peer)
        + (user == null ? ", which no fiber has used" : ", last used by fiber \"" + user + "\"");
  }
}
