package dev.fdfiber.testing;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.NonBlocking;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * What tests do with raw descriptors, each thing one system call or a few of them. A call that
 * fails is an AssertionError unless its result tells. Any thread; but for {@link #awaitIdle} none
 * suspends.
 */
public final class Fds {
  private static final int FIONREAD = 0x541B;
  private static final int SIOCOUTQ = 0x5411;

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
    return pair("pipe2", fds -> KERNEL.pipe2(fds, flags));
  }

  /** A pair of connected non-blocking stream sockets. */
  public static Pair socketPair() {
    return socketPair(Linux.SOCK_NONBLOCK);
  }

  /** A pair of connected stream sockets that block. */
  public static Pair blockingSocketPair() {
    return socketPair(0);
  }

  /** Two connected datagram sockets, non-blocking. */
  public static Pair datagramPair() {
    return socketPair(Linux.SOCK_DGRAM, Linux.SOCK_NONBLOCK);
  }

  private static Pair socketPair(int flags) {
    return socketPair(Linux.SOCK_STREAM, flags);
  }

  private static Pair socketPair(int kind, int flags) {
    int type = kind | Linux.SOCK_CLOEXEC | flags;
    return pair("socketpair", fds -> KERNEL.socketpair(Linux.AF_UNIX, type, 0, fds));
  }

  private static Pair pair(String call, ToIntFunction<MemorySegment> makes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment fds = arena.allocate(ValueLayout.JAVA_INT, 2);
      Calls.check(makes.applyAsInt(fds), call);
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

  /** Reads at most 64 KiB in one call as text; empty at the end, null where that would block. */
  public static @Nullable String read(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(65_536);
      long n = KERNEL.read(fd, buffer, buffer.byteSize());
      if (n == -Errno.EAGAIN) {
        return null;
      }
      Calls.check((int) n, "read(fd " + fd + ")");
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

  /** Reads a non-blocking descriptor until it has no more; returns how many bytes that was. */
  public static long drain(int fd) {
    long total = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(65_536);
      long n;
      while ((n = KERNEL.read(fd, buffer, buffer.byteSize())) > 0) {
        total += n;
      }
    }
    return total;
  }

  /** Ends the sending direction of a socket: its peer reads the end of the stream. */
  public static void halfClose(int fd) {
    Calls.check(KERNEL.shutdown(fd, Linux.SHUT_WR), "shutdown(fd " + fd + ")");
  }

  /** Closes a TCP socket so that its peer gets {@code ECONNRESET}: {@code SO_LINGER} of 0. */
  public static void reset(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment linger = arena.allocateFrom(ValueLayout.JAVA_INT, 1, 0); // struct linger
      int size = (int) linger.byteSize();
      Calls.check(
          KERNEL.setsockopt(fd, Linux.SOL_SOCKET, Linux.SO_LINGER, linger, size), "setsockopt");
    }
    Scheduler.closing(fd);
    close(fd);
  }

  /**
   * How many bytes were written to a pipe, or to a unix socket, and not read yet: {@code FIONREAD},
   * pipe(7), {@code SIOCOUTQ}, unix(7).
   */
  public static int unread(int writeFd) {
    long request = OpenFds.target(writeFd).startsWith("socket:") ? SIOCOUTQ : FIONREAD;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
      Calls.check(KERNEL.ioctl(writeFd, request, count), "ioctl(fd " + writeFd + ")");
      return count.get(ValueLayout.JAVA_INT, 0);
    }
  }

  // ---- what must hold now

  /** Fails unless a read would not block. */
  public static void assertReadable(int fd) {
    require(isReady(fd, Linux.POLLIN), fd, "is not readable");
  }

  /** Fails if a read would not block. */
  public static void assertNotReadable(int fd) {
    require(!isReady(fd, Linux.POLLIN), fd, "is readable");
  }

  /** Fails unless a write would not block. */
  public static void assertWritable(int fd) {
    require(isReady(fd, Linux.POLLOUT), fd, "is not writable");
  }

  /** Fails if a write would not block. */
  public static void assertNotWritable(int fd) {
    require(!isReady(fd, Linux.POLLOUT), fd, "is writable");
  }

  /** Fails unless a fiber is alive and neither runs nor is ready to. */
  public static void assertBlocked(Fiber fiber) {
    switch (fiber.state()) {
      case PAUSED, WAITING_IO, BLOCKED -> {}
      case READY, RUNNING, DONE ->
          throw new AssertionError(fiber + " does not wait; it was to be blocked");
    }
  }

  /**
   * Drives a scheduler until nothing is ready: every fiber has ended or waits for time, for a
   * descriptor or in the JDK. By its driver, or a fiber of it. Time does not pass.
   */
  public static void awaitIdle(Scheduler scheduler) {
    while (scheduler.runUntilEmpty() > 0) {
      // somebody may have become ready meanwhile
    }
  }

  private static boolean isReady(int fd, int events) {
    return Calls.check(NonBlocking.ready(KERNEL, fd, events), "poll of fd " + fd) > 0;
  }

  private static void require(boolean holds, int fd, String otherwise) {
    if (!holds) {
      throw new AssertionError("fd " + fd + " (" + OpenFds.target(fd) + ") " + otherwise);
    }
  }

  // ---- what a descriptor is

  /**
   * All descriptors of this process, and what each leads to, as {@code pipe:[4711]} or a path; but
   * for those that the JVM opens when it likes.
   */
  public static Map<Integer, String> open() {
    return OpenFds.now();
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
    return Calls.check(KERNEL.fcntl(fd, Linux.F_GETFL, 0), "fcntl F_GETFL");
  }

  /** Another descriptor of the same description. */
  public static int dup(int fd) {
    return Calls.check(KERNEL.fcntl(fd, Linux.F_DUPFD_CLOEXEC, 3), "fcntl F_DUPFD_CLOEXEC");
  }

  /** Closes behind everybody's back. */
  public static void close(int fd) {
    Calls.check(KERNEL.close(fd), "close(fd " + fd + ")");
  }

  /** Closes where it is still open. */
  public static void closeQuietly(int fd) {
    if (isOpen(fd)) {
      KERNEL.close(fd);
    }
  }
}
