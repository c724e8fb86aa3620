package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Fails a test that leaves a child process or a thread behind. */
final class LeftBehind implements BeforeEachCallback, AfterEachCallback {
  private static final ExtensionContext.Namespace HERE =
      ExtensionContext.Namespace.create(LeftBehind.class);

  /** Threads that the JDK, JUnit and Surefire keep for the next use. */
  private static final Pattern KEPT =
      Pattern.compile(
          "process reaper.*|ForkJoinPool.*|VirtualThread-.*|.*Poller|.*Cleaner.*|surefire.*"
              + "|CompletableFutureDelayScheduler|fdfiber-test-limit|SIG.* handler|C[12] .*|junit.*"
              + "|Attach Listener|fdfiber-watch"); // the last ends within a second after its

  // schedulers

  /** What has ended may be seen a moment longer. */
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  @Override
  public void beforeEach(ExtensionContext context) {
    context.getStore(HERE).put("children", children());
    context.getStore(HERE).put("threads", threads());
  }

  @Override
  public void afterEach(ExtensionContext context) {
    assertNoneLeft("children", LeftBehind::children, context);
    assertNoneLeft("threads", LeftBehind::threads, context);
  }

  @SuppressWarnings("unchecked")
  private static void assertNoneLeft(
      String what, Supplier<Set<String>> now, ExtensionContext context) {
    Set<String> before = context.getStore(HERE).get(what, Set.class);
    long start = System.nanoTime();
    Set<String> left;
    do {
      left = now.get();
      left.removeAll(before);
    } while (!left.isEmpty() && System.nanoTime() - start < PATIENCE_NANOS);
    assertThat(left).as("%s that the test left behind", what).isEmpty();
  }

  private static Set<String> children() {
    return ProcessHandle.current()
        .children()
        .map(child -> child.pid() + " " + child.info().commandLine().orElse("(ended)"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> !KEPT.matcher(thread.getName()).matches())
        .map(thread -> thread.threadId() + " " + thread.getName())
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
