package dev.fdfiber.fd;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Two unix sockets that are connected to each other, socketpair(2): a pipe that goes both ways.
 *
 * <p>An end of which only the number was asked for blocks, so it can be given to a program; close
 * it here once the program has it.
 */
public final class SocketPair implements Closeable {
  private final End<UnixSocket> first;
  private final End<UnixSocket> second;

  private SocketPair(Kernel kernel, int firstFd, int secondFd) {
    this.first = new End<>(kernel, firstFd, UnixSocket::own);
    this.second = new End<>(kernel, secondFd, UnixSocket::own);
  }

  /** A pair of stream sockets. Does not suspend. */
  public static SocketPair open() throws IOException {
    return open(UnixSocket.Type.STREAM);
  }

  /**
   * A pair of a type. Does not suspend.
   *
   * @throws dev.fdfiber.ErrnoException {@code EMFILE}, {@code ENFILE}, socketpair(2) ERRORS
   */
  public static SocketPair open(UnixSocket.Type type) throws IOException {
    Kernel kernel = Fd.callersKernel();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment fds = arena.allocate(ValueLayout.JAVA_INT, 2);
      int flags = type.number | Linux.SOCK_CLOEXEC;
      Fd.check(kernel.socketpair(Linux.AF_UNIX, flags, 0, fds), "socketpair");
      return new SocketPair(
          kernel, fds.getAtIndex(ValueLayout.JAVA_INT, 0), fds.getAtIndex(ValueLayout.JAVA_INT, 1));
    }
  }

  /** The number of one socket. */
  public int firstFd() {
    return first.fd();
  }

  /** The number of the other socket. */
  public int secondFd() {
    return second.fd();
  }

  /** One socket, the same each time. */
  public UnixSocket first() throws IOException {
    return first.object();
  }

  /** The other socket, the same each time. */
  public UnixSocket second() throws IOException {
    return second.object();
  }

  /** Closes one socket. */
  public void closeFirst() throws IOException {
    first.close();
  }

  /** Closes the other socket. */
  public void closeSecond() throws IOException {
    second.close();
  }

  /** Closes both. Whoever waits for one of them gets ClosedChannelException. */
  @Override
  public void close() throws IOException {
    End.closeBoth(first, second);
  }

  @Override
  public String toString() {
    return "socket pair of fd " + firstFd() + " and fd " + secondFd();
  }
}
