package dev.fdfiber.testing;

import dev.fdfiber.Clock;
import dev.fdfiber.kernel.OpenDescriptors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.security.SecureRandom;
import java.util.Map;

/**
 * The open descriptors of this process and what they are, as {@code /proc/self/fd} tells, but for
 * those that the JVM opens when it likes: files of the class path, {@code /dev/urandom}, the
 * listing itself.
 */
final class OpenFds {
  private OpenFds() {}

  /** What the JDK opens once and keeps is opened, so that no test is blamed for it. */
  static void warmUp() {
    Once.done();
  }

  /** Numbers, with what they lead to: {@code pipe:[4711]}, a path, and the like. */
  static Map<Integer, String> now() {
    try {
      Map<Integer, String> fds = OpenDescriptors.targets();
      fds.values().removeIf(OpenFds::isOfTheJvm);
      return fds;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Those that are open at this moment and were not before. */
  private static Map<Integer, String> since(Map<Integer, String> before) {
    Map<Integer, String> opened = now();
    opened.entrySet().removeAll(before.entrySet());
    return opened;
  }

  /**
   * Those that stay open. Threads of the JDK close some a moment after the call that ends them, as
   * those of HttpClient do, and any thread of the JVM may look into a file right now.
   *
   * @param patienceNanos how long they may take to be closed
   */
  static Map<Integer, String> leftSince(Map<Integer, String> before, long patienceNanos) {
    long start = Clock.system().nanoTime();
    Map<Integer, String> left = since(before);
    while (!left.isEmpty() && Clock.system().nanoTime() - start < patienceNanos) {
      Thread.onSpinWait();
      left = since(before);
    }
    return left;
  }

  /** What a descriptor leads to; nothing if it is not open. */
  static String target(int fd) {
    return OpenDescriptors.target(fd);
  }

  private static boolean isOfTheJvm(String target) {
    return target.endsWith(".jar")
        || target.endsWith(".class")
        || target.endsWith("/modules")
        || target.endsWith("random")
        || target.contains("jacoco"); // writes its results when it likes
  }

  private static final class Once {
    static {
      try {
        new ServerSocket(0).close(); // the JDK keeps a socket to preclose others with
        new SecureRandom().nextBytes(new byte[1]);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    static void done() {}
  }
}
