package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test that leaves a descriptor open: {@code @ExtendWith(Leaks.class)}. Files that the JVM
 * opens when it likes (jars, /dev/urandom, the JDK's own pollers) do not count.
 */
public final class Leaks implements BeforeEachCallback, AfterEachCallback {
  private static final ExtensionContext.Namespace HERE =
      ExtensionContext.Namespace.create(Leaks.class);

  /** Threads of the JDK close some a moment after the call that ends them, HttpClient's do. */
  private static final long PATIENCE_NANOS = 5_000_000_000L;

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    Scheduler.create().close(); // warms up what is opened once
    new ServerSocket(0).close(); // the JDK keeps a socket to preclose others with
    context.getStore(HERE).put("fds", openFds());
  }

  @Override
  @SuppressWarnings("unchecked")
  public void afterEach(ExtensionContext context) {
    Map<Integer, String> before = context.getStore(HERE).get("fds", Map.class);
    long start = System.nanoTime();
    Map<Integer, String> left = since(before);
    while (!left.isEmpty() && System.nanoTime() - start < PATIENCE_NANOS) {
      Thread.onSpinWait();
      left = since(before);
    }
    assertThat(left).as("descriptors that the test left open").isEmpty();
  }

  private static Map<Integer, String> since(Map<Integer, String> before) {
    Map<Integer, String> now = openFds();
    now.entrySet().removeAll(before.entrySet());
    return now;
  }

  /** The open descriptors of this process and what they are, but for the JVM's own. */
  public static Map<Integer, String> openFds() {
    Map<Integer, String> fds = new TreeMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path entry : entries) {
        String target = target(entry);
        if (target != null && !isOfTheJvm(target)) {
          fds.put(Integer.valueOf(entry.getFileName().toString()), target);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return fds;
  }

  private static String target(Path entry) {
    try {
      return Files.readSymbolicLink(entry).toString();
    } catch (IOException e) {
      return null; // the descriptor of this very listing
    }
  }

  private static boolean isOfTheJvm(String target) {
    return target.endsWith(".jar")
        || target.endsWith(".class")
        || target.endsWith("/modules")
        || target.endsWith("random")
        || target.startsWith("/proc/")
        || target.contains("jacoco")
        || target.equals("anon_inode:[eventpoll]");
  }
}
