package dev.fdfiber.testing;

/**
 * Two connected stream sockets, socketpair(2), unix(7), as a parameter of an {@link FdTest}: both
 * are non-blocking, close-on-exec, and closed after the test where it has not done so.
 */
public final class SocketPair implements AutoCloseable {
  private final HeldFd a;
  private final HeldFd b;

  private SocketPair(Fds.Pair pair) {
    this.a = HeldFd.of(pair.a());
    this.b = HeldFd.of(pair.b());
  }

  /** Makes one; whoever does closes it. */
  public static SocketPair open() {
    return new SocketPair(Fds.socketPair());
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
