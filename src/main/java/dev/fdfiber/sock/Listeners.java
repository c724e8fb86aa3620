package dev.fdfiber.sock;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.SocketOptions;
import java.io.IOException;
import java.util.Arrays;

/**
 * Where the listening sockets of workers come from: each worker makes one for the same port, or
 * each gets duplicates of those that somebody handed over. Any thread.
 */
final class Listeners {
  private static final Kernel KERNEL = Kernel.system();

  private final String host;
  private final int backlog;
  private final boolean reusePort;
  private final int[] shared; // empty if each worker makes its own

  private int port; // 0 until it is known
  private boolean closed;

  private Listeners(Workers.Builder options, int[] shared) throws IOException {
    this.host = options.host;
    this.backlog = options.backlog;
    this.reusePort = options.reusePort || options.count > 1;
    this.shared = shared;
    this.port = shared.length > 0 ? portOf(shared[0]) : options.port;
  }

  static Listeners of(Workers.Builder options) throws IOException {
    int[] shared = options.listeners;
    if (shared.length == 0 && options.systemd) {
      shared = SystemdSockets.take(options.systemdNames);
    }
    for (int fd : shared) {
      requireListening(fd);
      // Another may be faster to accept, and accept4(2) must not block then.
      Sock.setNonblock(fd);
    }
    if (shared.length == 0 && options.port != 0 && options.count > 1 && !options.reusePort) {
      // Fails if somebody listens there already, which SO_REUSEPORT would hide.
      Sock.close(Sock.listen(options.host, options.port, false, 1));
    }
    return new Listeners(options, shared);
  }

  /** -1 if it is no internet socket. */
  synchronized int port() {
    return port;
  }

  /** If all workers accept from the same sockets. */
  boolean areShared() {
    return shared.length > 0;
  }

  /** Listening sockets for one worker, which closes them. */
  synchronized int[] open() throws IOException {
    if (closed) {
      throw new IOException("nobody is to listen any more");
    }
    if (areShared()) {
      return duplicates();
    }
    int fd = Sock.listen(host, port, reusePort, backlog);
    if (port == 0) {
      port = Sock.localPort(fd);
    }
    return new int[] {fd};
  }

  private int[] duplicates() throws ErrnoException {
    int[] fds = new int[shared.length];
    for (int i = 0; i < fds.length; i++) {
      int fd = KERNEL.fcntl(shared[i], Linux.F_DUPFD_CLOEXEC, 0);
      if (fd < 0) {
        close(Arrays.copyOf(fds, i));
        throw new ErrnoException("fcntl(fd " + shared[i] + ", F_DUPFD_CLOEXEC)", -fd);
      }
      fds[i] = fd;
    }
    return fds;
  }

  /** Opens none any more; the second time does nothing. */
  synchronized void close() {
    if (!closed) {
      closed = true;
      close(shared);
    }
  }

  static void close(int[] fds) {
    for (int fd : fds) {
      Tcp.close(KERNEL, fd);
    }
  }

  private static int portOf(int fd) throws IOException {
    try {
      return Sock.localPort(fd);
    } catch (IllegalArgumentException notInternet) {
      return -1;
    }
  }

  private static void requireListening(int fd) throws ErrnoException {
    int listens = SocketOptions.get(KERNEL, fd, Linux.SO_ACCEPTCONN);
    if (listens == 0 || listens == -Errno.ENOTSOCK) {
      throw new IllegalStateException("fd " + fd + " is no socket that listens");
    }
    Io.check(listens, "getsockopt(fd " + fd + ", SO_ACCEPTCONN)");
  }
}
