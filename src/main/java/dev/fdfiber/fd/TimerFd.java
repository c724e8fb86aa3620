package dev.fdfiber.fd;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Timers;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A timer as a descriptor, timerfd_create(2). A periodic one does not drift, and tells how often it
 * has expired since it was last asked; one for a point in time tells when somebody has set the
 * clock.
 */
public final class TimerFd implements Closeable {
  /** What a timer told. */
  public sealed interface Tick {}

  /** It has expired, so many times since the last tick: 1, unless somebody came too late. */
  public record Expired(long times) implements Tick {
    /** How many expirations nobody was told of in time. */
    public long missed() {
      return times - 1;
    }
  }

  /**
   * The clock was set, {@code ECANCELED}, timerfd_settime(2): how far it is to the point in time is
   * to be thought over. The timer goes on, by the new clock.
   */
  public record ClockSet() implements Tick {}

  private final Fd fd;
  private volatile boolean clockSet;

  private TimerFd(int clock) throws IOException {
    Kernel kernel = Fd.callersKernel();
    int flags = Timers.TFD_CLOEXEC | Timers.TFD_NONBLOCK;
    this.fd = Fd.own(kernel, kernel.timerfdCreate(clock, flags), "timerfd_create");
  }

  /**
   * A timer that expires once, a time from now. Does not suspend.
   *
   * @throws ErrnoException {@code EMFILE}, {@code ENFILE}, timerfd_create(2) ERRORS
   * @throws IllegalArgumentException if the time is not positive
   */
  public static TimerFd after(Duration time) throws IOException {
    return monotonic(time, Duration.ZERO);
  }

  /** A timer that expires again and again, first a period from now. Throws as {@link #after}. */
  public static TimerFd every(Duration period) throws IOException {
    return monotonic(period, requirePositive(period));
  }

  /** A timer for a point in time of {@code CLOCK_REALTIME}; one in the past has expired. */
  public static TimerFd at(Instant time) throws IOException {
    TimerFd timer = new TimerFd(Timers.CLOCK_REALTIME);
    try {
      timer.set(time);
      return timer;
    } catch (IOException | RuntimeException e) {
      timer.close();
      throw e;
    }
  }

  private static TimerFd monotonic(Duration first, Duration period) throws IOException {
    requirePositive(first);
    TimerFd timer = new TimerFd(Timers.CLOCK_MONOTONIC);
    try {
      timer.set(first, period);
      return timer;
    } catch (IOException | RuntimeException e) {
      timer.close();
      throw e;
    }
  }

  /** The descriptor, which gets readable when the timer has expired. */
  public int fd() {
    return fd.number();
  }

  /**
   * Sets it anew, and forgets what has expired: first after a time, then again after each period.
   *
   * @param period zero for a timer that expires once
   * @throws IllegalArgumentException if the first time is not positive, or the period is negative
   */
  public void set(Duration first, Duration period) throws IOException {
    requirePositive(first);
    if (period.isNegative()) {
      throw new IllegalArgumentException("a period of " + period);
    }
    settime(0, first.getSeconds(), first.getNano(), period);
  }

  /** Sets it anew, and forgets what has expired: for a point in time of the clock on the wall. */
  public void set(Instant time) throws IOException {
    Objects.requireNonNull(time, "time");
    int flags = Timers.TFD_TIMER_ABSTIME | Timers.TFD_TIMER_CANCEL_ON_SET;
    // All zeros would switch it off; what is over is over.
    long seconds = Math.max(0, time.getEpochSecond());
    long nanos = time.getEpochSecond() <= 0 ? 1 : time.getNano();
    settime(flags, seconds, nanos, Duration.ZERO);
  }

  /** Switches it off. */
  public void stop() throws IOException {
    settime(0, 0, 0, Duration.ZERO);
  }

  private void settime(int flags, long seconds, long nanos, Duration period) throws IOException {
    fd.requireOpen();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment spec = Timers.encode(arena, seconds, nanos, period);
      clockSet = false;
      int result = fd.kernel().timerfdSettime(fd.number(), flags, spec);
      if (result == -Errno.ECANCELED) {
        clockSet = true; // it is set all the same, and the next to ask is told
      } else {
        fd.now("timerfd_settime", result);
      }
    }
  }

  /** How long it is until it expires next; empty when it is off. Does not suspend. */
  public Optional<Duration> left() throws IOException {
    fd.requireOpen();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment spec = Timers.encode(arena, 0, 0, Duration.ZERO);
      fd.now("timerfd_gettime", fd.kernel().timerfdGettime(fd.number(), spec));
      Duration left = Timers.left(spec);
      return left.isZero() ? Optional.empty() : Optional.of(left);
    }
  }

  /** Suspends until it expires, or the clock was set. One that is off never does. */
  public Tick await() throws IOException {
    return await(Deadline.NEVER).orElseThrow();
  }

  /** Like {@link #await()}, for at most a time; empty when that was up. */
  public Optional<Tick> await(Duration timeout) throws IOException {
    if (clockSet) {
      clockSet = false;
      return Optional.of(new ClockSet());
    }
    try {
      OptionalLong times = fd.readLong(timeout);
      return times.isEmpty() ? Optional.empty() : Optional.of(new Expired(times.getAsLong()));
    } catch (ErrnoException e) {
      if (e.errno() == Errno.ECANCELED) {
        return Optional.of(new ClockSet());
      }
      throw e;
    }
  }

  /** Closes it. Whoever waits for it gets ClosedChannelException. */
  @Override
  public void close() throws IOException {
    fd.close();
  }

  @Override
  public String toString() {
    return "timerfd " + fd;
  }

  private static Duration requirePositive(Duration time) {
    if (!time.isPositive()) {
      throw new IllegalArgumentException("a timer needs a positive time, not " + time);
    }
    return time;
  }
}
