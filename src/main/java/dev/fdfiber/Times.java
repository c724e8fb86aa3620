package dev.fdfiber;

import java.time.Duration;
import java.util.Locale;

/** Lengths of time as the scheduler counts them: nanoseconds, {@link #FOREVER} for without end. */
final class Times {
  /** A wait that has no end. */
  static final long FOREVER = -1;

  /** 146 years: deadlines this far apart still compare by their difference. */
  private static final long LONGEST_NANOS = 1L << 62;

  private static final Duration LONGEST = Duration.ofNanos(LONGEST_NANOS);

  private Times() {}

  /** A length that must not be negative. */
  static long pauseNanos(double seconds) {
    requireNumber(seconds);
    if (seconds < 0) {
      throw negative(seconds + " s");
    }
    return nanos(seconds);
  }

  /** A length that must not be negative. */
  static long pauseNanos(Duration time) {
    if (time.isNegative()) {
      throw negative(time.toString());
    }
    return nanos(time);
  }

  /** A timeout: a negative one has no end. */
  static long timeoutNanos(double seconds) {
    requireNumber(seconds);
    return seconds < 0 ? FOREVER : nanos(seconds);
  }

  /** A timeout: a negative one has no end. */
  static long timeoutNanos(Duration time) {
    return time.isNegative() ? FOREVER : nanos(time);
  }

  /** A limit: zero or less is over at once. */
  static long limitNanos(double seconds) {
    requireNumber(seconds);
    return seconds <= 0 ? 0 : nanos(seconds);
  }

  /** A limit: zero or less is over at once. */
  static long limitNanos(Duration time) {
    return time.isNegative() ? 0 : nanos(time);
  }

  /** The shorter of two lengths, either of which may be without end. */
  static long shorter(long a, long b) {
    if (a < 0) {
      return b;
    }
    return b < 0 ? a : Math.min(a, b);
  }

  /** A length above zero, rounded up to milliseconds. */
  static long wholeMillis(long nanos) {
    return ((nanos - 1) / 1_000_000 + 1) * 1_000_000;
  }

  /** A length for people, in seconds to the millisecond, the same in every locale. */
  static String text(long nanos) {
    return String.format(Locale.ROOT, "%.3f s", nanos / 1e9);
  }

  private static long nanos(double seconds) {
    double nanos = Math.ceil(seconds * 1e9);
    return nanos >= LONGEST_NANOS ? FOREVER : (long) nanos;
  }

  private static long nanos(Duration time) {
    return time.compareTo(LONGEST) >= 0 ? FOREVER : time.toNanos();
  }

  private static void requireNumber(double seconds) {
    if (Double.isNaN(seconds)) {
      throw new IllegalArgumentException("the time is NaN; give seconds, or a Duration");
    }
  }

  private static IllegalArgumentException negative(String time) {
    return new IllegalArgumentException(
        "cannot pause for " + time + "; give 0 to yield, or a positive time");
  }
}
