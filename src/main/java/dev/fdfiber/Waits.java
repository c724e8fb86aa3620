package dev.fdfiber;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.poller.Poller;
import dev.fdfiber.poller.Registration;
import dev.fdfiber.poller.Wait;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for what: descriptors in the poller, points in time in the timer queue, a task in
 * either or in both. A look asks the poller, then the clock, and says whose wait is over. The
 * driver's.
 *
 * <p>Between the end of a wait and the turn of its fiber its descriptor may get closed. So each end
 * is stamped, closings are kept while any fiber is on its way, and the fiber compares.
 */
final class Waits {
  /** How long a look blocks at most while descriptors are waited for: they may get closed. */
  static final long SWEEP_NANOS = 1_000_000_000L;

  /** How long a look blocks at most while there is no descriptor left for the eventfd. */
  private static final long NO_EVENTFD_NANOS = 10_000_000L;

  private final Clock clock;
  private final Poller poller;
  private final Waker waker;
  private final Alarms alarms;
  private final TimerQueue timers = new TimerQueue();
  private final List<Task> seen = new ArrayList<>(); // by the look that is under way
  private final Consumer<Wait> collect = this::collect;
  private long nextOrder;
  private long now; // when the clock was read last
  private boolean lookWanted;
  private long nextSweep;

  private final Map<Integer, Long> closings = new HashMap<>();
  private long closingCount;
  private int onTheirWay;

  Waits(Clock clock, Poller poller, Waker waker, Alarms alarms) {
    this.clock = clock;
    this.poller = poller;
    this.waker = waker;
    this.nextSweep = readClock();
    this.alarms = alarms;
  }

  // ---- any thread

  boolean anyForFds() {
    return poller.size() > 0;
  }

  // ---- time

  /** What time it was when the clock was read last: at the latest in the last look. */
  long now() {
    return now;
  }

  long readClock() {
    now = clock.nanoTime();
    return now;
  }

  /** How the poller asks now. */
  PollerKind pollerKind() {
    return poller.asksEpoll() ? PollerKind.EPOLL : PollerKind.POLL;
  }

  /** What is waited for, in words. */
  String describe() {
    int count = timers.size();
    String next = count == 0 ? "" : ", the next in " + Times.text(timerNanos());
    String how = poller.asksEpoll() ? "epoll(7)" : "poll(2)";
    return poller.size() + " waits in " + how + ", " + count + " timers" + next;
  }

  // ---- one wait

  /** Registers what a task waits for; {@code fd} -1 is nothing but time. 0, or minus errno. */
  int register(Task task, int fd, int mode, long timeoutNanos) {
    return register(task, fd, mode, timeoutNanos, null);
  }

  /** The same for the owner of a descriptor, who keeps a registration. */
  int register(
      Task task, int fd, int mode, long timeoutNanos, @Nullable Registration registration) {
    long deadline = timeoutNanos < 0 ? 0 : readClock() + timeoutNanos;
    task.ask(fd, mode, nextOrder++, registration);
    if (fd >= 0) {
      int result = poller.add(task);
      if (result < 0) {
        return result;
      }
    }
    if (timeoutNanos >= 0) {
      task.deadlineNanos = deadline;
      timers.add(task);
      lookWanted |= timeoutNanos == 0;
    }
    return 0;
  }

  /** Registers a wait for several descriptors, {@code task.group}. */
  void registerGroup(Task task, GroupWait group, long timeoutNanos) throws ErrnoException {
    boolean all = group.addTo(poller, nextOrder);
    task.group = group;
    register(task, -1, 0, all ? timeoutNanos : 0);
  }

  /** Takes what a task registered off again. */
  void withdraw(Task task) {
    if (task.timerSlot >= 0) {
      timers.remove(task);
    }
    removeFds(task);
  }

  private void removeFds(Task task) {
    if (task.isRegistered()) {
      poller.remove(task);
    }
    if (task.group != null) {
      task.group.removeFrom(poller);
    }
  }

  /** The fiber goes on with what was seen; true if its descriptor was closed meanwhile. */
  boolean wasClosed(Task task) {
    onTheirWay--;
    boolean closed = !closings.isEmpty() && wasClosed(task, task.fd());
    if (task.group != null && !closings.isEmpty()) {
      for (GroupWait.Member member : task.group.members()) {
        if (wasClosed(task, member.fd())) {
          member.closed();
        }
      }
    }
    if (onTheirWay == 0) {
      closings.clear();
    }
    return closed;
  }

  private boolean wasClosed(Task task, int fd) {
    Long closed = closings.get(fd);
    return closed != null && closed >= task.overSince;
  }

  /** A descriptor is about to be closed: hands out who waits for it, and remembers it. */
  void closing(int fd, Consumer<Task> waiter) {
    List<Task> waiters = new ArrayList<>(0);
    poller.removeAll(fd, wait -> waiters.add(closed(wait)));
    waiters.forEach(waiter); // which may take more waits off
    if (onTheirWay > 0) {
      closings.put(fd, closingCount++);
    }
  }

  private static Task closed(Wait wait) {
    if (wait instanceof GroupWait.Member member) {
      member.closed();
    }
    return taskOf(wait);
  }

  private static Task taskOf(Wait wait) {
    return wait instanceof GroupWait.Member member
        ? Objects.requireNonNull(member.task, "a member in a scheduler's poller has a task")
        : (Task) wait;
  }

  // ---- a look

  /** If somebody waits for a look to go by, ready or not. */
  boolean isLookWanted() {
    return lookWanted;
  }

  /**
   * How long it is to the next timer or alarm; 0 if one is late, negative if there is none. Any
   * thread; what it sees may be stale.
   */
  long timerNanos() {
    long timer = timers.size() == 0 ? Times.FOREVER : left(timers.firstNanos());
    Alarms.Alarm alarm = alarms.first();
    return alarm == null ? timer : Times.shorter(timer, left(alarm.deadlineNanos()));
  }

  private long left(long deadlineNanos) {
    return Math.max(0, deadlineNanos - clock.nanoTime());
  }

  /** How long a look may block: until the limit, the next timer, or the next sweep. */
  long idleNanos(long limitNanos) {
    long nanos = limitNanos == 0 ? 0 : Times.shorter(limitNanos, timerNanos());
    return poller.size() > 0 ? Times.shorter(nanos, sweepNanos()) : nanos;
  }

  /** Looks at descriptors that may have been closed, if that is due; how long until it is again. */
  private long sweepNanos() {
    if (!poller.needsSweep()) {
      return SWEEP_NANOS; // each poll sees them
    }
    long left = nextSweep - now; // as of the last look, which is exact enough
    if (left > 0) {
      return Times.wholeMillis(left); // which the kernel is told at less cost
    }
    if (poller.sweep(collect)) {
      return 0; // the rest comes with the next look
    }
    nextSweep = now + SWEEP_NANOS;
    return seen.isEmpty() ? SWEEP_NANOS : 0;
  }

  /** What {@link #idleNanos} does besides, for a look that does not block. */
  void sweepIfDue() {
    if (poller.size() > 0) {
      sweepNanos();
    }
  }

  /** Asks the poller, without blocking. */
  Poller.Look poll() {
    return poller.poll(0, collect);
  }

  /**
   * Asks the poller, and blocks until there is something or the time is up, unless there is other
   * work.
   */
  Poller.Look block(long timeoutNanos, BooleanSupplier otherWork) {
    long nanos = timeoutNanos;
    if (!waker.isOpen()) {
      // The eventfd may get a number that was closed while it is waited for: look who does, first.
      Poller.Look look = poller.poll(0, collect);
      if (!seen.isEmpty()) {
        return look;
      }
      if (!openWaker()) {
        nanos = Times.shorter(nanos, NO_EVENTFD_NANOS);
      }
    }
    waker.fallAsleep();
    try {
      return poller.poll(otherWork.getAsBoolean() ? 0 : nanos, collect);
    } finally {
      waker.wakeUp();
    }
  }

  /** A descriptor that is readable when a look would see something; see {@link Poller#pollFd}. */
  int pollFd() throws ErrnoException {
    if (!waker.isOpen()) {
      poller.wakeBy(waker.open());
    }
    int fd = poller.pollFd();
    if (fd == -Errno.ENOSYS) {
      throw new UnsupportedOperationException(
          "poll(2) has no descriptor to wait for; build the scheduler with PollerKind.EPOLL");
    }
    if (fd < 0) {
      throw new ErrnoException("epoll_create1", -fd);
    }
    return fd;
  }

  private boolean openWaker() {
    try {
      poller.wakeBy(waker.open());
      return true;
    } catch (ErrnoException e) {
      if (e.errno() == Errno.EMFILE || e.errno() == Errno.ENFILE) {
        return false;
      }
      throw new IllegalStateException("the driver cannot block: " + e.getMessage(), e);
    }
  }

  /**
   * After the poll, and at the time that was read then: hands out whose time is up, then who is
   * ready, each in their order.
   */
  void handOut(Consumer<Task> timeUp, Consumer<Task> ready) {
    lookWanted = false;
    expire(timeUp);
    if (seen.size() > 1) {
      seen.sort(Comparator.comparingLong(Wait::order));
    }
    for (Task task : seen) {
      withdraw(task);
      isOver(task);
      ready.accept(task);
    }
    seen.clear();
    alarms.ring(clock);
  }

  private void collect(Wait wait) {
    Task task = taskOf(wait);
    if (!task.suspended) {
      return; // another member of its group was seen before
    }
    task.suspended = false; // the wait is over, whatever comes meanwhile,
    task.queued = true; // and its turn is certain
    seen.add(task);
  }

  private void expire(Consumer<Task> timeUp) {
    for (Task task; (task = timers.removeDue(now)) != null; ) {
      if (task.suspended) { // or it was seen ready
        removeFds(task);
        isOver(task);
        timeUp.accept(task);
      }
    }
  }

  private void isOver(Task task) {
    task.overSince = closingCount;
    onTheirWay++;
  }
}
