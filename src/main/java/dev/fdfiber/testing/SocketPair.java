package dev.fdfiber.testing;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Two connected stream sockets, socketpair(2), unix(7), as a parameter of an {@link FdTest}: both
 * are non-blocking, close-on-exec, and closed after the test where it has not done so.
 */
public final class SocketPair implements AutoCloseable {
  private final HeldFd a;
  private final HeldFd b;

  private SocketPair(int a, int b) {
    this.a = HeldFd.of(a);
    this.b = HeldFd.of(b);
  }

  /** Makes one; whoever does closes it. */
  public static SocketPair open() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment fds = arena.allocate(ValueLayout.JAVA_INT, 2);
      int type = Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK;
      Calls.check(Kernel.system().socketpair(Linux.AF_UNIX, type, 0, fds), "socketpair");
      return new SocketPair(
          fds.getAtIndex(ValueLayout.JAVA_INT, 0), fds.getAtIndex(ValueLayout.JAVA_INT, 1));
    }
  }

  /** One of the two. */
  public int a() {
    return a.fd();
  }

  /** The other. */
  public int b() {
    return b.fd();
  }

  /** Closes those that are still open, and wakes who waits for them. */
  @Override
  public void close() {
    a.close();
    b.close();
  }

  @Override
  public String toString() {
    return "socket pair (fd " + a() + ", fd " + b() + ")";
  }
}
