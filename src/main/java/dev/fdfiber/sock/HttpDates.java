package dev.fdfiber.sock;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Dates as HTTP and logs write them, RFC 9110 section 5.6.7. The years are 0 to 9999. */
final class HttpDates {
  /** The first second of year 0. */
  static final long MIN = -62_167_219_200L;

  /** The last second of year 9999. */
  static final long MAX = 253_402_300_799L;

  /** The two digits of an RFC 850 year are of the last year that is no further ahead than this. */
  private static final int YEARS_AHEAD = 50;

  private static final List<String> DAYS =
      List.of("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday");
  private static final List<String> MONTHS =
      List.of("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec");

  private HttpDates() {}

  /** As {@code Sun, 06 Nov 1994 08:49:37 GMT}, IMF-fixdate. */
  static String format(long epochSeconds) {
    LocalDateTime t = time(epochSeconds);
    StringBuilder text = new StringBuilder(29);
    text.append(shortName(t.getDayOfWeek().getValue())).append(", ");
    digits(text, t.getDayOfMonth(), 2).append(' ');
    text.append(MONTHS.get(t.getMonthValue() - 1)).append(' ');
    digits(text, t.getYear(), 4).append(' ');
    return clock(text, t).append(" GMT").toString();
  }

  /** As {@code 1994-11-06T08:49:37Z}. */
  static String iso8601(long epochSeconds) {
    LocalDateTime t = time(epochSeconds);
    StringBuilder text = new StringBuilder(20);
    digits(text, t.getYear(), 4).append('-');
    digits(text, t.getMonthValue(), 2).append('-');
    digits(text, t.getDayOfMonth(), 2).append('T');
    return clock(text, t).append('Z').toString();
  }

  /** The seconds that a date in one of the three formats means; -1 for anything else. */
  static long parse(@Nullable String text, long nowSeconds) {
    if (text == null || text.length() < 24 || text.length() > 33) {
      return -1;
    }
    return switch (text.charAt(3)) {
      case ',' -> imf(new Scan(text));
      case ' ' -> asctime(new Scan(text));
      default -> rfc850(new Scan(text), nowSeconds);
    };
  }

  private static long imf(Scan in) {
    int weekday = in.weekday(true);
    in.expect(", ");
    int day = in.number(2);
    in.expect(" ");
    int month = in.month();
    in.expect(" ");
    int year = in.number(4);
    in.expect(" ");
    int second = in.clock();
    in.expect(" GMT");
    return in.isWhole() ? seconds(year, month, day, second, weekday) : -1;
  }

  private static long asctime(Scan in) {
    int weekday = in.weekday(true);
    in.expect(" ");
    int month = in.month();
    in.expect(" ");
    int day = in.isAt(' ') ? in.padded() : in.number(2);
    in.expect(" ");
    int second = in.clock();
    in.expect(" ");
    int year = in.number(4);
    return in.isWhole() ? seconds(year, month, day, second, weekday) : -1;
  }

  private static long rfc850(Scan in, long nowSeconds) {
    in.weekday(false); // a wrong guess of the century must not make it wrong
    in.expect(", ");
    int day = in.number(2);
    in.expect("-");
    int month = in.month();
    in.expect("-");
    int digits = in.number(2);
    in.expect(" ");
    int second = in.clock();
    in.expect(" GMT");
    if (!in.isWhole()) {
      return -1;
    }
    LocalDateTime limit = time(Math.clamp(nowSeconds, 0, MAX)).plusYears(YEARS_AHEAD);
    int year = limit.getYear() - Math.floorMod(limit.getYear() - digits, 100);
    long seconds = seconds(year, month, day, second, 0);
    boolean tooFar = seconds > limit.toEpochSecond(ZoneOffset.UTC);
    return tooFar ? seconds(year - 100, month, day, second, 0) : seconds;
  }

  /** -1 if there is no such date, or if it was another day of the week; 0 for any. */
  private static long seconds(int year, int month, int day, int second, int weekday) {
    if (year > 9999 || day < 1 || day > LocalDate.of(year, month, 1).lengthOfMonth()) {
      return -1;
    }
    LocalDate date = LocalDate.of(year, month, day);
    if (weekday != 0 && date.getDayOfWeek().getValue() != weekday) {
      return -1;
    }
    return date.toEpochDay() * 86_400 + second;
  }

  private static LocalDateTime time(long epochSeconds) {
    if (epochSeconds < MIN || epochSeconds > MAX) {
      throw new IllegalArgumentException(
          epochSeconds + " s is not in the years 0 to 9999, all that the format can write");
    }
    return LocalDateTime.ofEpochSecond(epochSeconds, 0, ZoneOffset.UTC);
  }

  private static String shortName(int weekday) {
    return DAYS.get(weekday - 1).substring(0, 3);
  }

  private static StringBuilder clock(StringBuilder text, LocalDateTime t) {
    digits(text, t.getHour(), 2).append(':');
    digits(text, t.getMinute(), 2).append(':');
    return digits(text, t.getSecond(), 2);
  }

  private static StringBuilder digits(StringBuilder text, int value, int count) {
    String digits = Integer.toString(value);
    return text.append("0".repeat(count - digits.length())).append(digits);
  }

  /** Takes a text apart from left to right. After the first thing that does not fit it is bad. */
  private static final class Scan {
    private final String text;
    private int at;
    private boolean bad;

    Scan(String text) {
      this.text = text;
    }

    boolean isWhole() {
      return !bad && at == text.length();
    }

    boolean isAt(char c) {
      return at < text.length() && text.charAt(at) == c;
    }

    void expect(String what) {
      bad |= !text.startsWith(what, at);
      at += what.length();
    }

    int number(int digits) {
      int value = 0;
      for (int i = 0; i < digits; i++) {
        char c = at < text.length() ? text.charAt(at) : ' ';
        bad |= c < '0' || c > '9';
        value = value * 10 + (c - '0');
        at++;
      }
      return bad ? 1 : value;
    }

    /** A space and a digit. */
    int padded() {
      at++;
      return number(1);
    }

    /** 1 is Monday. */
    int weekday(boolean isShort) {
      for (int i = 1; i <= DAYS.size(); i++) {
        String name = isShort ? shortName(i) : DAYS.get(i - 1);
        if (text.startsWith(name, at)) {
          at += name.length();
          return i;
        }
      }
      bad = true;
      return 1;
    }

    int month() {
      int month = at + 3 > text.length() ? -1 : MONTHS.indexOf(text.substring(at, at + 3));
      bad |= month < 0;
      at += 3;
      return bad ? 1 : month + 1;
    }

    /** The second of the day. A leap second, 23:59:60, is the first of the next one. */
    int clock() {
      int hour = number(2);
      expect(":");
      int minute = number(2);
      expect(":");
      int second = number(2);
      boolean leap = hour == 23 && minute == 59 && second == 60;
      bad |= hour > 23 || minute > 59 || (second > 59 && !leap);
      return (hour * 60 + minute) * 60 + second;
    }
  }
}
