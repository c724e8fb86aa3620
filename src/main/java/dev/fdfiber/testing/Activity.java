package dev.fdfiber.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What the threads of this process do between two looks, by what the kernel tells of them,
 * proc_pid_task(5). A stack does not tell a thread that sleeps from one that was woken and has not
 * got a processor yet, and does not show work that went from one thread to another behind the back
 * of whoever looks at one after the other.
 */
final class Activity {
  private static final Path TASKS = Path.of("/proc/self/task");
  private static final Path SELF = Path.of("/proc/thread-self");
  private static final Predicate<String> TOLD =
      Pattern.compile("^(Name|State|(non)?voluntary_ctxt_switches):").asPredicate();

  /** Threads of the JVM that run at any time and never wake a fiber. */
  private static final Predicate<String> OF_THE_JVM =
      Pattern.compile("^Name:\t(C[12] Comp|G1 |GC Thread|Monitor Deflatio|VM |ZWorker)")
          .asPredicate();

  private final Map<String, String> before = threads();

  /** Begins now. */
  Activity() {}

  /** If none of the other threads has run since this began, and none is about to. */
  boolean isNone() {
    return before.values().stream().allMatch(status -> status.contains("State:\tS"))
        && before.equals(threads());
  }

  /** The state of each other thread, and how often it was switched away from. */
  private static Map<String, String> threads() {
    Map<String, String> threads = new HashMap<>();
    try (DirectoryStream<Path> tasks = Files.newDirectoryStream(TASKS)) {
      Path self = SELF.toRealPath().getFileName();
      for (Path task : tasks) {
        String status = status(task);
        if (!task.endsWith(self) && !OF_THE_JVM.test(status)) {
          threads.put(task.toString(), status);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return threads;
  }

  /** Not by Files.lines: its channel takes the place of the driver's hook for interrupts. */
  private static String status(Path task) {
    try {
      List<String> lines = Files.readAllLines(task.resolve("status"), StandardCharsets.ISO_8859_1);
      return lines.stream().filter(TOLD).collect(Collectors.joining("\n"));
    } catch (IOException e) {
      return "it ends";
    }
  }
}
