package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.FdTest;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.format.ResolverStyle;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Dates, compared with java.time in both directions. */
@FdTest
class HttpDatesTest {
  private static final long EXAMPLE = 784_111_777L; // of RFC 9110
  private static final DateTimeFormatter IMF = formatter("EEE, dd MMM uuuu HH:mm:ss 'GMT'");
  private static final DateTimeFormatter RFC_850 = formatter("EEEE, dd-MMM-uu HH:mm:ss 'GMT'");
  private static final DateTimeFormatter ASCTIME = formatter("EEE MMM ppd HH:mm:ss uuuu");

  private static DateTimeFormatter formatter(String pattern) {
    return DateTimeFormatter.ofPattern(pattern, Locale.US).withResolverStyle(ResolverStyle.STRICT);
  }

  private static LocalDateTime time(long seconds) {
    return LocalDateTime.ofEpochSecond(seconds, 0, ZoneOffset.UTC);
  }

  @Test
  void examplesOfTheRfc_areRead() {
    assertThat(Sock.httpDate(EXAMPLE)).isEqualTo("Sun, 06 Nov 1994 08:49:37 GMT");
    assertThat(Sock.iso8601Utc(EXAMPLE)).isEqualTo("1994-11-06T08:49:37Z");
    assertThat(Sock.parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT")).isEqualTo(EXAMPLE);
    assertThat(Sock.parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT")).isEqualTo(EXAMPLE);
    assertThat(Sock.parseHttpDate("Sun Nov  6 08:49:37 1994")).isEqualTo(EXAMPLE);
    assertThat(Sock.httpDate(0)).isEqualTo("Thu, 01 Jan 1970 00:00:00 GMT");
    assertThat(Sock.httpDate(1L << 31)).isEqualTo("Tue, 19 Jan 2038 03:14:08 GMT");
  }

  @Test
  void secondsOfAllYears_areAsInJavaTime() {
    long seed = new Random().nextLong();
    System.out.println("HttpDatesTest seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      long seconds = random.nextLong(HttpDates.MIN, HttpDates.MAX + 1);
      String imf = IMF.format(time(seconds));
      assertThat(Sock.httpDate(seconds)).isEqualTo(imf);
      assertThat(Sock.iso8601Utc(seconds)).isEqualTo(isoOf(seconds));
      assertThat(Sock.parseHttpDate(imf)).isEqualTo(seconds);
      assertThat(Sock.parseHttpDate(ASCTIME.format(time(seconds)))).isEqualTo(seconds);
    }
  }

  private static String isoOf(long seconds) {
    return formatter("uuuu-MM-dd'T'HH:mm:ss'Z'").format(time(seconds));
  }

  @Test
  void changedDates_areReadAsJavaTimeReadsThem() {
    Random random = new Random(5);
    String alphabet = "0123456789 :,-GMTSunJaFebr";
    for (int i = 0; i < 50_000; i++) {
      long seconds = random.nextLong(0, HttpDates.MAX);
      StringBuilder text = new StringBuilder(IMF.format(time(seconds)));
      text.setCharAt(
          random.nextInt(text.length()), alphabet.charAt(random.nextInt(alphabet.length())));
      long expected;
      try {
        expected = LocalDateTime.parse(text, IMF).toEpochSecond(ZoneOffset.UTC);
      } catch (DateTimeParseException e) {
        expected = -1;
      }
      if (text.indexOf("23:59:60") < 0) {
        assertThat(Sock.parseHttpDate(text.toString())).as("%s", text).isEqualTo(expected);
      }
    }
  }

  @Test
  void anyText_isReadWithoutAnException() {
    long seed = new Random().nextLong();
    System.out.println("HttpDatesTest seed " + seed);
    Random random = new Random(seed);
    String[] starts = {"", "Sun, ", "Sunday, 06-", "Sun Nov ", "Sun, 06 Nov 1994 "};
    for (int i = 0; i < 100_000; i++) {
      StringBuilder text = new StringBuilder(starts[i % starts.length]);
      int length = random.nextInt(40);
      for (int j = 0; j < length; j++) {
        text.append((char) (i % 2 == 0 ? random.nextInt(65_536) : 32 + random.nextInt(95)));
      }
      Sock.parseHttpDate(text.toString());
    }
    assertThat(Sock.parseHttpDate(null)).isEqualTo(-1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:60 GMT",
        "Sat, 00 Jan 2000 00:00:00 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT",
        "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Someday, 06-Nov-94 08:49:37 GMT"
      })
  void otherTexts_areNone(String text) {
    assertThat(Sock.parseHttpDate(text)).isEqualTo(-1);
  }

  @ParameterizedTest
  @CsvSource({"2026,76,2076", "2026,77,1977", "2026,26,2026", "2080,05,2105", "2026,00,2000"})
  void twoDigitYears_areAtMostFiftyYearsAhead(int now, int digits, int year) {
    long nowSeconds = LocalDateTime.of(now, 6, 1, 0, 0).toEpochSecond(ZoneOffset.UTC);
    LocalDateTime date = LocalDateTime.of(year, 5, 31, 1, 2, 3);
    assertThat(date.getYear() % 100).isEqualTo(digits);
    assertThat(HttpDates.parse(RFC_850.format(date), nowSeconds))
        .isEqualTo(date.toEpochSecond(ZoneOffset.UTC));
  }

  @Test
  void aLeapSecond_isTheFirstOfTheNextDay() {
    assertThat(Sock.parseHttpDate("Sat, 31 Dec 2016 23:59:60 GMT"))
        .isEqualTo(Instant.parse("2017-01-01T00:00:00Z").getEpochSecond());
  }

  @ParameterizedTest
  @ValueSource(longs = {HttpDates.MIN - 1, HttpDates.MAX + 1, Long.MIN_VALUE, Long.MAX_VALUE})
  void yearsOfMoreDigits_areRefused(long seconds) {
    assertThatThrownBy(() -> Sock.httpDate(seconds)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Sock.iso8601Utc(seconds)).isInstanceOf(IllegalArgumentException.class);
  }
}
