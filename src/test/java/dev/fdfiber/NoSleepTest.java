package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * No test sleeps to wait for something. A sleep that is itself what is tried is listed here: in
 * which file, on how many lines, and why.
 */
@FdTest
class NoSleepTest {
  private static final Path TESTS = Path.of("src/test/java/dev/fdfiber");

  /** Calls, {@code sleep} in SQL, and the program, as a command's words or in a shell's line. */
  private static final Pattern SLEEP =
      Pattern.compile("\\b(pg_)?sleep(Ms)?\\s*\\(|\\bsleep\\W+[\\d.]|\\bpark(Nanos|Until)\\b");

  private record Subject(long lines, String why) {}

  private static final Map<String, Subject> SUBJECTS =
      Map.ofEntries(
          Map.entry("BlockingCallsTest", new Subject(2, "Thread.sleep parks a fiber alone")),
          Map.entry("CloseLimitTest", new Subject(1, "a fiber in Thread.sleep is closed")),
          Map.entry("CloseRulesTest", new Subject(1, "a fiber in Thread.sleep is closed")),
          Map.entry("InteropTest", new Subject(2, "PostgreSQL takes its time, and is cancelled")),
          Map.entry("StuckTest", new Subject(1, "a fiber that holds the driver for a time")),
          Map.entry("fd/PidFdTest", new Subject(4, "children that are killed")),
          Map.entry("fd/PtyTest", new Subject(2, "children that a hang-up ends")),
          Map.entry("fd/SignalsTest", new Subject(1, "a program that a signal ends")),
          Map.entry("sock/SockDefectsTest", new Subject(2, "Sock.sleepMs and a shell's command")),
          Map.entry("sock/SockProcessTest", new Subject(7, "Sock.sleepMs; a child to be killed")),
          Map.entry("sock/WorkersProcessTest", new Subject(1, "CPU time spent within a time")),
          Map.entry("sock/WorkersProgram", new Subject(1, "a program that a signal ends")),
          Map.entry("testing/VirtualTimeTest", new Subject(1, "a Thread.sleep that is refused")));

  @Test
  void noTestSleeps_butWhereThatIsItsSubject() throws IOException {
    Map<String, Long> found = new TreeMap<>();
    try (Stream<Path> files = Files.walk(TESTS)) {
      for (Path file : files.filter(file -> file.toString().endsWith(".java")).toList()) {
        String name = TESTS.relativize(file).toString().replace(".java", "");
        long lines = Files.readAllLines(file).stream().filter(SLEEP.asPredicate()).count();
        if (lines > 0 && !name.equals("NoSleepTest")) {
          found.put(name, lines);
        }
      }
    }
    Map<String, Long> allowed = new TreeMap<>();
    SUBJECTS.forEach((name, subject) -> allowed.put(name, subject.lines()));
    assertThat(found).as("lines that sleep; wait for the thing itself").isEqualTo(allowed);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Thread.sleep(10);",
        "TimeUnit.SECONDS.sleep(1);",
        "Sock.sleepMs(5);",
        "new ProcessBuilder(\"sleep\", \"1\")",
        "\"while :; do sleep .1; done\"",
        "LockSupport.parkNanos(1);"
      })
  void everyKindOfSleep_isSeen(String line) {
    assertThat(SLEEP.matcher(line).find()).isTrue();
  }
}
