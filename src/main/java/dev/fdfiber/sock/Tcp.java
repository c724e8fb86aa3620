package dev.fdfiber.sock;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.NonBlocking;
import dev.fdfiber.kernel.SocketAddress;
import dev.fdfiber.kernel.SocketOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Objects;

/** How TCP sockets come to be: listening, accepted, connected; and how they end. */
final class Tcp {
  private Tcp() {}

  static int listen(Kernel kernel, String host, int port, boolean reusePort, int backlog)
      throws IOException {
    requirePort(port);
    InetAddress address = Resolver.resolve(host)[0];
    int fd = open(kernel, address);
    try (Arena arena = Arena.ofConfined()) {
      set(kernel, fd, Linux.SO_REUSEADDR, "SO_REUSEADDR");
      if (reusePort) {
        set(kernel, fd, Linux.SO_REUSEPORT, "SO_REUSEPORT");
      }
      MemorySegment where = SocketAddress.encode(arena, address, port);
      Io.check(
          kernel.bind(fd, where, (int) where.byteSize()),
          "bind to " + address.getHostAddress() + " port " + port);
      Io.check(kernel.listen(fd, backlog), "listen(fd " + fd + ")");
      return fd;
    } catch (IOException | RuntimeException e) {
      kernel.close(fd);
      throw e;
    }
  }

  static int localPort(Kernel kernel, int fd) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = SocketAddress.allocate(arena);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) address.byteSize());
      Io.check(kernel.getsockname(fd, address, length), "getsockname(fd " + fd + ")");
      return SocketAddress.decode(address).getPort();
    }
  }

  // ---- accepting

  static int accept(Kernel kernel, int fd) throws IOException {
    while (true) {
      int connection = acceptPending(kernel, fd);
      if (connection >= 0) {
        return connection;
      }
      Io.await(kernel, "accept", fd, Scheduler.READ, Io.FOREVER, 0);
    }
  }

  static int acceptNb(Kernel kernel, int fd) throws IOException {
    int connection = acceptPending(kernel, fd);
    if (connection < 0) {
      FdStates.ended(kernel, fd, IoStatus.WANT_READ);
    }
    return connection;
  }

  /** -1 when none is pending. */
  private static int acceptPending(Kernel kernel, int fd) throws IOException {
    int flags = kernel.fcntl(fd, Linux.F_GETFL, 0);
    if (flags < 0) {
      throw Io.failed(kernel, "accept", fd, -flags);
    }
    boolean blocks = (flags & Linux.O_NONBLOCK) == 0; // somebody else's listener
    while (true) {
      int ready = blocks ? NonBlocking.ready(kernel, fd, Linux.POLLIN) : 1;
      if (ready == 0) {
        return -1;
      }
      int connection =
          ready < 0 ? ready : kernel.accept4(fd, Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK);
      if (connection >= 0) {
        FdStates.succeeded(fd);
        return accepted(kernel, connection);
      }
      if (connection == -Errno.EAGAIN) {
        return -1;
      }
      if (!isGone(-connection)) {
        throw Io.failed(kernel, "accept", fd, -connection);
      }
    }
  }

  /** Makes a connection ready for use that accept4(2) has just given; returns it. */
  static int accepted(Kernel kernel, int connection) {
    noDelay(kernel, connection);
    FdStates.drop(connection); // its number may have been another file's
    return connection;
  }

  /**
   * The connection that was pending is not there any more, or the call did not get that far. Linux
   * passes on what went wrong in the network, accept(2) "Error handling".
   */
  static boolean isGone(int errno) {
    return switch (errno) {
      case Errno.EINTR, Errno.ECONNABORTED, Errno.EPROTO, Errno.ENOPROTOOPT, Errno.ENONET -> true;
      case Errno.ENETDOWN, Errno.ENETUNREACH, Errno.EHOSTDOWN, Errno.EHOSTUNREACH -> true;
      default -> false;
    };
  }

  // ---- connecting

  static int connect(Kernel kernel, String host, int port, Duration timeout) throws IOException {
    requirePort(port);
    IOException failure = null;
    for (InetAddress address : Resolver.resolve(host)) {
      try {
        return connect(kernel, address, port, timeout);
      } catch (ErrnoException | SocketTimeoutException e) {
        if (failure != null) {
          e.addSuppressed(failure);
        }
        failure = e;
      }
    }
    throw Objects.requireNonNull(failure, "a resolved host has an address");
  }

  private static int connect(Kernel kernel, InetAddress address, int port, Duration timeout)
      throws IOException {
    String call = "connect to " + address.getHostAddress() + " port " + port;
    int fd = open(kernel, address);
    try (Arena arena = Arena.ofConfined()) {
      noDelay(kernel, fd);
      MemorySegment where = SocketAddress.encode(arena, address, port);
      int result = kernel.connect(fd, where, (int) where.byteSize());
      // A signal leaves the connection on its way, connect(2) EINTR.
      if (result == -Errno.EINPROGRESS || result == -Errno.EINTR) {
        if (!Io.await(kernel, call, fd, Scheduler.WRITE, timeout, 0)) {
          throw new SocketTimeoutException(call + ": no answer within " + timeout);
        }
        result = -pendingError(kernel, fd);
      }
      Io.check(result, call);
      return fd;
    } catch (IOException | RuntimeException e) {
      close(kernel, fd);
      throw e;
    }
  }

  private static int pendingError(Kernel kernel, int fd) throws ErrnoException {
    int error = SocketOptions.get(kernel, fd, Linux.SO_ERROR);
    return Io.check(error, "getsockopt(fd " + fd + ", SO_ERROR)");
  }

  // ---- ends

  /** Tells who waits for it and forgets what is known of it first. 0, or minus errno. */
  static int close(Kernel kernel, int fd) {
    Scheduler.closing(fd);
    TlsStream tls = FdStates.tls(kernel, fd);
    FdStates.drop(fd);
    if (tls != null) {
      tls.close(kernel);
    }
    return kernel.close(fd);
  }

  // ---- parts

  private static int open(Kernel kernel, InetAddress address) throws ErrnoException {
    int type = Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK;
    return Io.check(kernel.socket(SocketAddress.family(address), type, 0), "socket");
  }

  private static void noDelay(Kernel kernel, int fd) {
    // What is no TCP socket has nothing to delay.
    SocketOptions.set(kernel, fd, Linux.IPPROTO_TCP, Linux.TCP_NODELAY, 1);
  }

  private static void set(Kernel kernel, int fd, int option, String name) throws ErrnoException {
    int result = SocketOptions.set(kernel, fd, Linux.SOL_SOCKET, option, 1);
    Io.check(result, "setsockopt(fd " + fd + ", " + name + ")");
  }

  private static void requirePort(int port) {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("port " + port + " is not between 0 and 65535");
    }
  }
}
