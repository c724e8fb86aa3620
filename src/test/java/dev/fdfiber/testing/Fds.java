package dev.fdfiber.testing;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Raw descriptors for tests; every call that fails is an AssertionError. */
public final class Fds {
  private static final Kernel KERNEL = Kernel.system();

  private Fds() {}

  /** Two descriptors that belong together. {@code a} reads what {@code b} writes. */
  public record Pair(int a, int b) implements AutoCloseable {
    /** Closes both where they are still open. */
    @Override
    public void close() {
      closeQuietly(a);
      closeQuietly(b);
    }
  }

  /** A non-blocking pipe: {@code a} is the read end, {@code b} the write end. */
  public static Pair pipe() {
    return pipe(Linux.O_CLOEXEC | Linux.O_NONBLOCK);
  }

  /** A pipe whose descriptions block. */
  public static Pair blockingPipe() {
    return pipe(Linux.O_CLOEXEC);
  }

  private static Pair pipe(int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment fds = arena.allocate(ValueLayout.JAVA_INT, 2);
      check(KERNEL.pipe2(fds, flags), "pipe2");
      return new Pair(
          fds.getAtIndex(ValueLayout.JAVA_INT, 0), fds.getAtIndex(ValueLayout.JAVA_INT, 1));
    }
  }

  /** A pair of connected non-blocking stream sockets. */
  public static Pair socketPair() {
    return socketPair(Linux.SOCK_NONBLOCK);
  }

  /** A pair of connected stream sockets that block. */
  public static Pair blockingSocketPair() {
    return socketPair(0);
  }

  private static Pair socketPair(int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment fds = arena.allocate(ValueLayout.JAVA_INT, 2);
      int type = Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC | flags;
      check(KERNEL.socketpair(Linux.AF_UNIX, type, 0, fds), "socketpair");
      return new Pair(
          fds.getAtIndex(ValueLayout.JAVA_INT, 0), fds.getAtIndex(ValueLayout.JAVA_INT, 1));
    }
  }

  /** Writes a text in one call; returns how many bytes were taken, or minus errno. */
  public static long write(int fd, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    try (Arena arena = Arena.ofConfined()) {
      return KERNEL.write(fd, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), bytes.length);
    }
  }

  /** Reads at most 64 KiB in one call as text; null where that would block. */
  public static String read(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(65_536);
      long n = KERNEL.read(fd, buffer, buffer.byteSize());
      if (n == -Errno.EAGAIN) {
        return null;
      }
      check((int) n, "read(fd " + fd + ")");
      byte[] bytes = buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE);
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  /** Fills a non-blocking descriptor until it takes no more; returns how many bytes that was. */
  public static long fill(int fd) {
    long total = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(65_536);
      for (int size = 65_536; size > 0; size /= 2) {
        long n;
        while ((n = KERNEL.write(fd, buffer, size)) > 0) {
          total += n;
        }
      }
    }
    return total;
  }

  /** If a descriptor is open in this process. */
  public static boolean isOpen(int fd) {
    return KERNEL.fcntl(fd, Linux.F_GETFD, 0) >= 0;
  }

  /** If a descriptor's description has {@code O_NONBLOCK}. */
  public static boolean isNonblocking(int fd) {
    return (flags(fd) & Linux.O_NONBLOCK) != 0;
  }

  /** The status flags of a descriptor's description. */
  public static int flags(int fd) {
    return check(KERNEL.fcntl(fd, Linux.F_GETFL, 0), "fcntl F_GETFL");
  }

  /** Another descriptor of the same description. */
  public static int dup(int fd) {
    return check(KERNEL.fcntl(fd, Linux.F_DUPFD_CLOEXEC, 3), "fcntl F_DUPFD_CLOEXEC");
  }

  /** Closes behind everybody's back. */
  public static void close(int fd) {
    check(KERNEL.close(fd), "close(fd " + fd + ")");
  }

  /** Closes where it is still open. */
  public static void closeQuietly(int fd) {
    if (isOpen(fd)) {
      KERNEL.close(fd);
    }
  }

  private static int check(int result, String call) {
    if (result < 0) {
      throw new AssertionError(call + ": " + Errno.name(-result));
    }
    return result;
  }
}
