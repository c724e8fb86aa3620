package dev.fdfiber.testing;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Faults in the system calls of the fibers of a test, as a parameter of an {@link FdTest}:
 * scripted, call by call, or at random in an exploration. Only faults that Linux itself may have: a
 * call that is answered {@code EINTR} did nothing, one that is cut short did a part, and what the
 * man pages rule out is refused, such as {@code EPIPE} of a read, or half of a write to a pipe that
 * is atomic.
 *
 * <pre>{@code
 * faults.on("write", fd).pass(2).limit(1).fail(Errno.EPIPE); // the third write gives 1, then EPIPE
 * faults.atRandom(0.1); // with @FdTest(seeds = 1000): every tenth call
 * }</pre>
 *
 * <p>A call has its name in {@link dev.fdfiber.kernel.Kernel}. {@code "read"} also stands for
 * {@code recv}, and {@code "write"} for {@code send}, since which of them is used is not the
 * caller's choice. Faults come in calls of fibers alone; the scheduler's own are spared.
 */
public final class Faults {
  private static final int ANY = -1;
  private static final Map<String, Set<String>> SAME =
      Map.of("read", Set.of("read", "recv"), "write", Set.of("write", "send"));
  private static final Set<String> TRANSFERS = Set.of("read", "recv", "write", "send");
  private static final Set<String> MAY_WAIT =
      Set.of("read", "recv", "write", "send", "accept4", "sendfile", "recvmsg", "sendmsg");

  private final @Nullable VirtualClock clock;
  private final @Nullable Choices choices;
  private final @Nullable Trace trace;
  private final List<Script> scripts = new ArrayList<>();
  private double rate;
  private boolean ended;

  Faults(@Nullable VirtualClock clock, @Nullable Choices choices, @Nullable Trace trace) {
    this.clock = clock;
    this.choices = choices;
    this.trace = trace;
  }

  /** A script for a call on any descriptor; see {@link Script}. */
  public Script on(String call) {
    return on(call, ANY);
  }

  /** A script for a call on one descriptor; see {@link Script}. */
  public Script on(String call, int fd) {
    Script script = new Script(call, fd);
    scripts.add(script);
    return script;
  }

  /**
   * In an exploration, lets so large a part of the calls that can have them be interrupted, be cut
   * short, or find that nothing is ready although it was said to be. Without seeds it does nothing.
   */
  public void atRandom(double part) {
    if (!(part >= 0 && part <= 1)) {
      throw new IllegalArgumentException("a part of all calls is from 0 to 1, not " + part);
    }
    rate = part;
  }

  void end() {
    ended = true;
  }

  long around(SystemCall call) {
    if (ended || !Scheduler.inFiber() || Promises.onlyAsksIfSocket(call)) {
      return call.proceed();
    }
    for (Script script : scripts) {
      if (script.isOf(call)) {
        Step step = script.next();
        if (step != null) {
          return step.apply(call);
        }
      }
    }
    return rate > 0 && choices != null ? atRandom(call, choices) : call.proceed();
  }

  private long atRandom(SystemCall call, Choices choices) {
    if (!MAY_WAIT.contains(call.name())) {
      return call.proceed();
    }
    List<Step> possible = new ArrayList<>(List.of(new Fail(Errno.EINTR)));
    if (Promises.doesNotBlock(call)) {
      possible.add(new Fail(Errno.EAGAIN));
    }
    if (TRANSFERS.contains(call.name()) && Promises.mayBeShort(call)) {
      possible.add(new Limit(1));
    }
    int fault = choices.fault(possible.size(), rate);
    if (fault == 0) {
      return call.proceed();
    }
    Step step = possible.get(fault - 1);
    if (trace != null) {
      String what =
          Texts.quoted(Fiber.current()) + ": " + call.name() + " on fd " + call.fd() + " " + step;
      choices.describe(what);
      trace.deviated(what);
    }
    return step.apply(call);
  }

  /** What happens to one call. */
  private sealed interface Step {
    long apply(SystemCall call);
  }

  private record Pass() implements Step {
    @Override
    public long apply(SystemCall call) {
      return call.proceed();
    }
  }

  private record Fail(int errno) implements Step {
    @Override
    public long apply(SystemCall call) {
      Promises.requireMayFail(call, errno);
      if (Promises.isDoneAllTheSame(call, errno)) {
        call.proceed();
      }
      return -errno;
    }

    @Override
    public String toString() {
      return "fails with " + Errno.name(errno);
    }
  }

  private record Limit(long bytes) implements Step {
    @Override
    public long apply(SystemCall call) {
      long count = (long) call.argument(2);
      if (count > bytes) {
        Promises.requireMayBeShort(call);
        call.argument(2, bytes);
      }
      return call.proceed();
    }

    @Override
    public String toString() {
      return "is cut to " + bytes + " byte";
    }
  }

  private record Slow(VirtualClock clock, Duration time) implements Step {
    @Override
    public long apply(SystemCall call) {
      clock.advance(time);
      return call.proceed();
    }
  }

  /**
   * What happens to the calls of one kind, one after the other; those that follow are left alone,
   * unless {@link #forEver}.
   */
  public final class Script {
    private final Set<String> calls;
    private final int fd;
    private final List<Step> steps = new ArrayList<>();
    private boolean repeats;
    private int at;

    private Script(String call, int fd) {
      this.calls = SAME.getOrDefault(call, Set.of(call));
      this.fd = fd;
    }

    /** Leaves the next calls alone. */
    public Script pass(int calls) {
      for (int i = 0; i < calls; i++) {
        steps.add(new Pass());
      }
      return this;
    }

    /** The next call does nothing and fails. */
    public Script fail(int errno) {
      if (errno <= 0) {
        throw new IllegalArgumentException("errno is positive, not " + errno);
      }
      steps.add(new Fail(errno));
      return this;
    }

    /**
     * The next call transfers so many bytes at most.
     *
     * @throws IllegalArgumentException for a call that transfers none, or less than a byte: a read
     *     of 0 bytes would be the end of the file
     */
    public Script limit(long bytes) {
      if (bytes < 1 || !TRANSFERS.containsAll(calls)) {
        throw new IllegalArgumentException(calls + " cannot be limited to " + bytes + " bytes");
      }
      steps.add(new Limit(bytes));
      return this;
    }

    /** The next call takes so much time of the test's {@link VirtualClock}, and holds everybody. */
    public Script slow(Duration time) {
      VirtualClock virtual = clock;
      if (virtual == null) {
        throw new IllegalStateException("a slow call takes virtual time: take a VirtualClock");
      }
      steps.add(new Slow(virtual, time));
      return this;
    }

    /** After the last step, the last step again, without end. */
    public Script forEver() {
      repeats = true;
      return this;
    }

    private boolean isOf(SystemCall call) {
      return calls.contains(call.name()) && (fd == ANY || fd == call.fd());
    }

    private @Nullable Step next() {
      if (at < steps.size()) {
        return steps.get(at++);
      }
      return repeats && !steps.isEmpty() ? Objects.requireNonNull(steps.getLast()) : null;
    }
  }
}
