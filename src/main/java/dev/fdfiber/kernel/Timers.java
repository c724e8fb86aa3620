package dev.fdfiber.kernel;

import dev.fdfiber.libc.LibC;
import dev.fdfiber.libc.itimerspec;
import dev.fdfiber.libc.timespec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** The timers of timerfd_create(2): their constants, and {@code struct itimerspec}. */
public final class Timers {
  public static final int CLOCK_REALTIME = LibC.CLOCK_REALTIME();
  public static final int CLOCK_MONOTONIC = LibC.CLOCK_MONOTONIC();
  public static final int TFD_CLOEXEC = LibC.TFD_CLOEXEC();
  public static final int TFD_NONBLOCK = LibC.TFD_NONBLOCK();
  public static final int TFD_TIMER_ABSTIME = LibC.TFD_TIMER_ABSTIME();
  public static final int TFD_TIMER_CANCEL_ON_SET = LibC.TFD_TIMER_CANCEL_ON_SET();

  private Timers() {}

  /** When a timer expires first, and how long it is from then to each next time; 0 is never. */
  public static MemorySegment encode(
      Arena arena, long firstSeconds, long firstNanos, Duration period) {
    MemorySegment spec = itimerspec.allocate(arena);
    MemorySegment first = itimerspec.it_value(spec);
    timespec.tv_sec(first, firstSeconds);
    timespec.tv_nsec(first, firstNanos);
    MemorySegment interval = itimerspec.it_interval(spec);
    timespec.tv_sec(interval, period.getSeconds());
    timespec.tv_nsec(interval, period.getNano());
    return spec;
  }

  /** How long it is to the next expiration; zero if there is none. */
  public static Duration left(MemorySegment spec) {
    MemorySegment left = itimerspec.it_value(spec);
    return Duration.ofSeconds(timespec.tv_sec(left), timespec.tv_nsec(left));
  }
}
