package dev.fdfiber.sock;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.NativeBuffers;
import dev.fdfiber.kernel.NonBlocking;
import dev.fdfiber.kernel.SocketAddress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;

/**
 * Sockets as plain descriptors. In a fiber every call suspends where it would block; outside one it
 * blocks the calling thread. Any thread may call; whoever gets a descriptor closes it.
 *
 * <p>A failed call is {@link ErrnoException}. A fiber that is cancelled in a call gets
 * InterruptedIOException with {@code bytesTransferred}; its interrupt status stays set and the
 * descriptor open. Bytes are bytes: nothing is cut at a NUL or at a size, and a write writes all.
 */
public final class Sock {
  private static final int BACKLOG = 1024;
  private static final Duration FOREVER = Duration.ofSeconds(-1);

  private Sock() {}

  // ---- sockets

  /**
   * Listens on a TCP port of the loopback interface, 127.0.0.1.
   *
   * @param port 0 for any that is free; see {@link #localPort}
   * @param reusePort if others may listen on the same port, {@code SO_REUSEPORT}, socket(7)
   * @return the listening socket, close-on-exec and non-blocking
   * @throws IllegalArgumentException if the port is not one
   * @throws ErrnoException {@code EADDRINUSE} if it is taken, {@code EACCES} if it is protected,
   *     bind(2) ERRORS
   */
  public static int listen(int port, boolean reusePort) throws IOException {
    return listen("127.0.0.1", port, reusePort, BACKLOG);
  }

  /**
   * Like {@link #listen(int, boolean)}, on an address of choice: {@code 0.0.0.0} or {@code ::} for
   * every interface.
   *
   * @throws java.net.UnknownHostException if the host does not resolve
   */
  public static int listen(String host, int port, boolean reusePort, int backlog)
      throws IOException {
    requirePort(port);
    InetAddress address = Resolver.resolve(host)[0];
    Kernel kernel = kernel();
    int fd = open(kernel, address);
    try (Arena arena = Arena.ofConfined()) {
      set(kernel, fd, Linux.SOL_SOCKET, Linux.SO_REUSEADDR, "SO_REUSEADDR", arena);
      if (reusePort) {
        set(kernel, fd, Linux.SOL_SOCKET, Linux.SO_REUSEPORT, "SO_REUSEPORT", arena);
      }
      MemorySegment where = SocketAddress.encode(arena, address, port);
      check(
          kernel.bind(fd, where, (int) where.byteSize()),
          "bind to " + address.getHostAddress() + " port " + port);
      check(kernel.listen(fd, backlog), "listen(fd " + fd + ")");
      return fd;
    } catch (IOException | RuntimeException e) {
      kernel.close(fd);
      throw e;
    }
  }

  /**
   * The port that a socket is bound to.
   *
   * @throws ErrnoException for what getsockname(2) ERRORS lists
   * @throws IllegalArgumentException if it is no internet socket
   */
  public static int localPort(int fd) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = SocketAddress.allocate(arena);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) address.byteSize());
      check(kernel().getsockname(fd, address, length), "getsockname(fd " + fd + ")");
      return SocketAddress.decode(address).getPort();
    }
  }

  /**
   * Takes the next connection; suspends until there is one.
   *
   * @return its socket, close-on-exec, non-blocking, {@code TCP_NODELAY}
   * @throws ErrnoException {@code EMFILE} when this process has no descriptor left, accept(2)
   *     ERRORS
   */
  public static int accept(int fd) throws IOException {
    while (true) {
      int connection = acceptNb(fd);
      if (connection >= 0) {
        return connection;
      }
      await("accept", fd, Scheduler.READ, FOREVER, 0);
    }
  }

  /**
   * Takes the next connection if there is one. Does not suspend.
   *
   * @return its socket, as {@link #accept} gives it; -1 when none is pending
   * @throws ErrnoException {@code EMFILE} when this process has no descriptor left, accept(2)
   *     ERRORS
   */
  public static int acceptNb(int fd) throws IOException {
    Kernel kernel = kernel();
    int flags = check(kernel.fcntl(fd, Linux.F_GETFL, 0), "accept(fd " + fd + ")");
    boolean blocks = (flags & Linux.O_NONBLOCK) == 0; // somebody else's listener
    while (true) {
      int ready = blocks ? NonBlocking.ready(kernel, fd, Linux.POLLIN) : 1;
      if (ready == 0) {
        return -1;
      }
      int connection =
          ready < 0 ? ready : kernel.accept4(fd, Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK);
      if (connection >= 0) {
        noDelay(kernel, connection);
        return connection;
      }
      if (connection == -Errno.EAGAIN) {
        return -1;
      }
      if (!isGone(-connection)) {
        throw new ErrnoException("accept", fd, -connection);
      }
    }
  }

  /** The connection that was pending is not there any more, or the call did not get that far. */
  private static boolean isGone(int errno) {
    return errno == Errno.EINTR || errno == Errno.ECONNABORTED || errno == Errno.EPROTO;
  }

  /**
   * Connects to a TCP port, trying each address of the host; suspends until that is done.
   *
   * @return the socket, close-on-exec, non-blocking, {@code TCP_NODELAY}
   * @throws java.net.UnknownHostException if the host does not resolve
   * @throws ErrnoException why the last address refused, connect(2) ERRORS, the others suppressed
   */
  public static int connect(String host, int port) throws IOException {
    return connect(host, port, FOREVER);
  }

  /**
   * Like {@link #connect(String, int)}, with a limit for each address; a negative one is none.
   *
   * @throws SocketTimeoutException when the time was up
   */
  public static int connect(String host, int port, Duration timeout) throws IOException {
    requirePort(port);
    IOException failure = null;
    for (InetAddress address : Resolver.resolve(host)) {
      try {
        return connect(address, port, timeout);
      } catch (ErrnoException | SocketTimeoutException e) {
        if (failure != null) {
          e.addSuppressed(failure);
        }
        failure = e;
      }
    }
    throw Objects.requireNonNull(failure, "a resolved host has an address");
  }

  private static int connect(InetAddress address, int port, Duration timeout) throws IOException {
    String call = "connect to " + address.getHostAddress() + " port " + port;
    Kernel kernel = kernel();
    int fd = open(kernel, address);
    try (Arena arena = Arena.ofConfined()) {
      noDelay(kernel, fd);
      MemorySegment where = SocketAddress.encode(arena, address, port);
      int result = kernel.connect(fd, where, (int) where.byteSize());
      // A signal leaves the connection on its way, connect(2) EINTR.
      if (result == -Errno.EINPROGRESS || result == -Errno.EINTR) {
        if (!await(call, fd, Scheduler.WRITE, timeout, 0)) {
          throw new SocketTimeoutException(call + ": no answer within " + timeout);
        }
        result = -pendingError(kernel, fd, arena);
      }
      check(result, call);
      return fd;
    } catch (IOException | RuntimeException e) {
      close(kernel, fd);
      throw e;
    }
  }

  /**
   * Sets {@code O_NONBLOCK}, fcntl(2). The calls here never block a fiber, set or not; it is for
   * those that read the descriptor by other means.
   */
  public static void setNonblock(int fd) throws IOException {
    Kernel kernel = kernel();
    int flags = check(kernel.fcntl(fd, Linux.F_GETFL, 0), "fcntl(fd " + fd + ")");
    check(kernel.fcntl(fd, Linux.F_SETFL, flags | Linux.O_NONBLOCK), "fcntl(fd " + fd + ")");
  }

  /**
   * Closes a descriptor; in the caller's scheduler everybody who waits for it gets
   * ClosedChannelException first. Never to be repeated. Does not suspend.
   *
   * @throws ErrnoException for what close(2) ERRORS lists; {@code EBADF} if it is not open
   */
  public static void close(int fd) throws IOException {
    int result = close(kernel(), fd);
    if (result < 0 && result != -Errno.EINTR) { // EINTR: it is closed all the same
      throw new ErrnoException("close", fd, -result);
    }
  }

  private static int close(Kernel kernel, int fd) {
    Scheduler.closing(fd);
    return kernel.close(fd);
  }

  // ---- bytes

  /** Writes a text as UTF-8, all of it; see {@link #writeBytes}. */
  public static void writeStr(int fd, String s) throws IOException {
    byte[] bytes = s.getBytes(StandardCharsets.UTF_8);
    writeBytes(fd, bytes, bytes.length);
  }

  /**
   * Writes the first {@code n} bytes, all of them; suspends where there is no room.
   *
   * @throws IndexOutOfBoundsException if there are fewer
   * @throws ErrnoException {@code EPIPE} or {@code ECONNRESET} when the other side is gone, send(2)
   *     ERRORS
   */
  public static void writeBytes(int fd, byte[] data, int n) throws IOException {
    Objects.checkFromIndexSize(0, n, data.length);
    Kernel kernel = kernel();
    int done = 0;
    while (done < n) {
      long written = writeOnce(kernel, fd, data, done, n - done);
      if (written >= 0) {
        done += (int) written;
      } else if (written == -Errno.EAGAIN) {
        await("write", fd, Scheduler.WRITE, FOREVER, done);
      } else if (written != -Errno.EINTR) {
        throw new ErrnoException("write", fd, (int) -written);
      }
    }
  }

  private static long writeOnce(Kernel kernel, int fd, byte[] data, int from, int count) {
    MemorySegment buffer = NativeBuffers.take();
    try {
      int some = Math.min(count, NativeBuffers.SIZE);
      MemorySegment.copy(data, from, buffer, ValueLayout.JAVA_BYTE, 0, some);
      return NonBlocking.write(kernel, fd, buffer, some);
    } finally {
      NativeBuffers.give(buffer);
    }
  }

  /**
   * Reads what is there, at least a byte; suspends until there is some.
   *
   * @param max how many bytes at most; 0 for as many as come at once
   * @return the bytes; none at the end of the stream
   * @throws IllegalArgumentException if {@code max} is negative
   * @throws ErrnoException {@code ECONNRESET} when the other side broke it off, recv(2) ERRORS
   */
  public static byte[] recvSome(int fd, int max) throws IOException {
    requireMax(max);
    return recv(kernel(), fd, max == 0 ? NativeBuffers.SIZE : max, 0);
  }

  /**
   * Reads to the end of the stream; suspends until it is there.
   *
   * @param max how many bytes at most; 0 for all
   * @throws IllegalArgumentException if {@code max} is negative
   * @throws ErrnoException {@code ECONNRESET} when the other side broke it off, recv(2) ERRORS
   */
  public static byte[] recvAll(int fd, int max) throws IOException {
    requireMax(max);
    Kernel kernel = kernel();
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    while (max == 0 || all.size() < max) {
      byte[] some = recv(kernel, fd, max == 0 ? NativeBuffers.SIZE : max - all.size(), all.size());
      if (some.length == 0) {
        break;
      }
      all.writeBytes(some);
    }
    return all.toByteArray();
  }

  private static byte[] recv(Kernel kernel, int fd, int max, int before) throws IOException {
    while (true) {
      MemorySegment buffer = NativeBuffers.take();
      long n;
      try {
        n = NonBlocking.read(kernel, fd, buffer, Math.min(max, NativeBuffers.SIZE));
        if (n >= 0) {
          return buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE);
        }
      } finally {
        NativeBuffers.give(buffer);
      }
      if (n == -Errno.EAGAIN) {
        await("read", fd, Scheduler.READ, FOREVER, before);
      } else if (n != -Errno.EINTR) {
        throw new ErrnoException("read", fd, (int) -n);
      }
    }
  }

  // ---- parts

  /** The kernel of the caller's scheduler, or the machine's. */
  private static Kernel kernel() {
    return Scheduler.inFiber() ? Scheduler.current().kernel() : Kernel.system();
  }

  /** Waits; false when the time was up. */
  private static boolean await(String call, int fd, int mode, Duration timeout, int transferred)
      throws IOException {
    try {
      return Scheduler.ioWait(fd, mode, timeout) != 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      InterruptedIOException io = new InterruptedIOException(call + " on fd " + fd + ": cancelled");
      io.bytesTransferred = transferred;
      io.initCause(e);
      throw io;
    }
  }

  private static int open(Kernel kernel, InetAddress address) throws ErrnoException {
    int type = Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK;
    return check(kernel.socket(SocketAddress.family(address), type, 0), "socket");
  }

  private static void noDelay(Kernel kernel, int fd) {
    MemorySegment one = NativeBuffers.take();
    one.set(ValueLayout.JAVA_INT, 0, 1);
    // What is no TCP socket has nothing to delay.
    kernel.setsockopt(fd, Linux.IPPROTO_TCP, Linux.TCP_NODELAY, one, Integer.BYTES);
    NativeBuffers.give(one);
  }

  private static void set(Kernel kernel, int fd, int level, int option, String name, Arena arena)
      throws ErrnoException {
    MemorySegment one = arena.allocateFrom(ValueLayout.JAVA_INT, 1);
    check(
        kernel.setsockopt(fd, level, option, one, Integer.BYTES),
        "setsockopt(fd " + fd + ", " + name + ")");
  }

  private static int pendingError(Kernel kernel, int fd, Arena arena) throws ErrnoException {
    MemorySegment error = arena.allocate(ValueLayout.JAVA_INT);
    MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, Integer.BYTES);
    check(
        kernel.getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_ERROR, error, length),
        "getsockopt(fd " + fd + ", SO_ERROR)");
    return error.get(ValueLayout.JAVA_INT, 0);
  }

  private static int check(int result, String call) throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(call, -result);
    }
    return result;
  }

  private static void requirePort(int port) {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("port " + port + " is not between 0 and 65535");
    }
  }

  private static void requireMax(int max) {
    if (max < 0) {
      throw new IllegalArgumentException("max " + max + " is negative; give 0 for no limit");
    }
  }
}
