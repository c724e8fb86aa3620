package dev.fdfiber.sock;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.NativeBuffers;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

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
   * every interface. A name is looked up, which suspends.
   *
   * @param backlog how many connections may wait to be accepted, listen(2)
   * @throws java.net.UnknownHostException if the host does not resolve
   */
  public static int listen(String host, int port, boolean reusePort, int backlog)
      throws IOException {
    return Tcp.listen(Io.kernel(), host, port, reusePort, backlog);
  }

  /**
   * The port that a socket is bound to.
   *
   * @throws ErrnoException for what getsockname(2) ERRORS lists
   * @throws IllegalArgumentException if it is no internet socket
   */
  public static int localPort(int fd) throws IOException {
    return Tcp.localPort(Io.kernel(), fd);
  }

  /**
   * Takes the next connection; suspends until there is one.
   *
   * @return its socket, close-on-exec, non-blocking, {@code TCP_NODELAY}
   * @throws ErrnoException {@code EMFILE} when this process has no descriptor left, accept(2)
   *     ERRORS
   */
  public static int accept(int fd) throws IOException {
    return Tcp.accept(Io.kernel(), fd);
  }

  /**
   * Takes the next connection if there is one. Does not suspend.
   *
   * @return its socket, as {@link #accept} gives it; -1 when none is pending
   * @throws ErrnoException {@code EMFILE} when this process has no descriptor left, accept(2)
   *     ERRORS
   */
  public static int acceptNb(int fd) throws IOException {
    return Tcp.acceptNb(Io.kernel(), fd);
  }

  /**
   * Connects to a TCP port, trying each address of the host; suspends until that is done.
   *
   * @return the socket, close-on-exec, non-blocking, {@code TCP_NODELAY}
   * @throws java.net.UnknownHostException if the host does not resolve
   * @throws ErrnoException why the last address refused, connect(2) ERRORS, the others suppressed
   */
  public static int connect(String host, int port) throws IOException {
    return connect(host, port, Io.FOREVER);
  }

  /**
   * Like {@link #connect(String, int)}, with a limit for each address; a negative one is none.
   *
   * @throws SocketTimeoutException when the time was up
   */
  public static int connect(String host, int port, Duration timeout) throws IOException {
    return Tcp.connect(Io.kernel(), host, port, timeout);
  }

  /**
   * Sets {@code O_NONBLOCK}, fcntl(2). The calls here never block a fiber, set or not; it is for
   * those that read the descriptor by other means. Does not suspend.
   *
   * @throws ErrnoException {@code EBADF} if it is not open
   */
  public static void setNonblock(int fd) throws IOException {
    Kernel kernel = Io.kernel();
    int flags = Io.check(kernel.fcntl(fd, Linux.F_GETFL, 0), "fcntl(fd " + fd + ")");
    Io.check(kernel.fcntl(fd, Linux.F_SETFL, flags | Linux.O_NONBLOCK), "fcntl(fd " + fd + ")");
  }

  /**
   * Says how long a call waits for bytes to come on this descriptor: {@link #recvSome}, {@link
   * #recvAll}, {@link #recvFrame}, {@link #drainBody} each time that nothing is there, {@link
   * #readRequest} for the whole head. Then it is SocketTimeoutException, whose {@code
   * bytesTransferred} were read and are lost. Kept until the descriptor is closed, and never
   * applied to another file that gets its number. Does not suspend; not {@code SO_RCVTIMEO}.
   *
   * @param milliseconds zero or less for no limit, as at first
   * @throws ErrnoException {@code EBADF} if it is not open; {@code ENOSYS} if it is no socket and
   *     the C library cannot tell files apart, glibc before 2.33
   */
  public static void setRecvTimeout(int fd, long milliseconds) throws IOException {
    Kernel kernel = Io.kernel();
    FileId file = FileId.of(kernel, fd);
    if (file == null) {
      throw new ErrnoException("setRecvTimeout", fd, FileId.whyNone(kernel, fd));
    }
    boolean forEver = milliseconds <= 0 || milliseconds > Long.MAX_VALUE / 1_000_000;
    FdStates.recvTimeout(fd, file, forEver ? -1 : milliseconds * 1_000_000);
  }

  /**
   * Ends the sending direction of a connection: the other side reads to the end, and may answer,
   * but not over TLS 1.2, where an end is one of both directions. Does not suspend; over TLS it
   * does, until its close_notify has room.
   *
   * @throws ErrnoException {@code ENOTCONN} if it is not connected, {@code ENOTSOCK} if it is no
   *     socket, shutdown(2) ERRORS
   */
  public static void shutdownWrite(int fd) throws IOException {
    Kernel kernel = Io.kernel();
    TlsStream tls = FdStates.tls(kernel, fd);
    if (tls != null) {
      tls.shutdownWrite(kernel);
    }
    Io.shutdownWrite(kernel, fd);
  }

  /**
   * Closes a descriptor and forgets what is known of it; in the caller's scheduler everybody who
   * waits for it gets ClosedChannelException first. Over TLS it says close_notify, if that can be
   * said at once. Never to be repeated. Does not suspend.
   *
   * @throws ErrnoException for what close(2) ERRORS lists; {@code EBADF} if it is not open
   */
  public static void close(int fd) throws IOException {
    int result = Tcp.close(Io.kernel(), fd);
    if (result < 0 && result != -Errno.EINTR) { // EINTR: it is closed all the same
      throw new ErrnoException("close", fd, -result);
    }
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
    Io.write(Io.kernel(), fd, n, data);
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
    Kernel kernel = Io.kernel();
    int most = max == 0 ? NativeBuffers.SIZE : max;
    return Io.read(kernel, fd, most, Io.recvTimeout(kernel, fd), 0);
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
    return Io.readAll(Io.kernel(), fd, max == 0 ? Integer.MAX_VALUE : max);
  }

  /**
   * Reads what is there, at least a byte and at most 64 KiB: what the ancestor's recv_into_frame,
   * recv_frame_buf and recv_frame_len did together. Suspends until there is some.
   *
   * @return the bytes; none at the end of the stream
   * @throws ErrnoException {@code ECONNRESET} when the other side broke it off, recv(2) ERRORS
   */
  public static byte[] recvFrame(int fd) throws IOException {
    return recvSome(fd, NativeBuffers.SIZE);
  }

  /**
   * Waits until there is something to read: a byte, the end, an error that a read would tell. Also
   * what TLS has decrypted already counts, which {@link Scheduler#ioWait} cannot know; and a TLS
   * record without data does not. Suspends until then.
   *
   * @param timeout negative waits without end
   * @return false when the time was up
   * @throws ErrnoException {@code EBADF} if it is not open, poll(2) POLLNVAL
   */
  public static boolean awaitReadable(int fd, Duration timeout) throws IOException {
    return Io.awaitReadable(Io.kernel(), fd, timeout);
  }

  /**
   * How the last call here on this descriptor ended, by whichever thread. Of the file that has the
   * number now: a close forgets it. Does not suspend.
   */
  public static IoStatus ioStatus(int fd) {
    return FdStates.status(Io.kernel(), fd);
  }

  // ---- TLS

  /**
   * Connects to a TCP port and speaks TLS there, 1.3 or 1.2, as the host of that name: the
   * certificate must be for it and signed by somebody who is trusted, see {@link #tlsTrust}.
   * Suspends until the handshake is done. From then on all calls here on the descriptor go through
   * TLS; those of others, such as {@link dev.fdfiber.FdChannel}, do not.
   *
   * @return the socket, as {@link #connect(String, int)} gives it
   * @throws javax.net.ssl.SSLHandshakeException with the reason if the handshake fails
   * @throws java.net.UnknownHostException if the host does not resolve
   * @throws ErrnoException why the last address refused, connect(2) ERRORS, the others suppressed
   */
  public static int connectTls(String host, int port) throws IOException {
    return connectTls(host, port, Io.FOREVER);
  }

  /**
   * Like {@link #connectTls(String, int)}, with a limit for each address and one of the same length
   * for the handshake; a negative one is none.
   *
   * @throws SocketTimeoutException when the time was up
   */
  public static int connectTls(String host, int port, Duration timeout) throws IOException {
    return Tls.connect(Io.kernel(), host, port, timeout);
  }

  /**
   * Trusts certificates that those in a file have signed, and those of the system's store ({@code
   * cacerts} of the JDK, or {@code javax.net.ssl.trustStore}); no longer those of an earlier call.
   * For the handshakes that begin from then on in this process. Suspends while it reads.
   *
   * @param caPem certificates in PEM; null for the system's store alone, as at first
   * @throws IOException if it cannot be read
   */
  public static void tlsTrust(@Nullable Path caPem) throws IOException {
    TlsSettings.trust(caPem);
  }

  /**
   * Says as whom this process accepts TLS, from then on; may be called again with a newer
   * certificate. Suspends while it reads.
   *
   * @param certPem the certificate and those that lead to its authority, in this order, in PEM
   * @param keyPem its private key in PEM, not encrypted: RSA, EC, Ed25519 or Ed448
   * @throws IOException if one cannot be read, or they do not belong together
   */
  public static void tlsServerInit(Path certPem, Path keyPem) throws IOException {
    TlsSettings.serve(certPem, keyPem);
  }

  /**
   * Speaks TLS, 1.3 or 1.2, on a connection that was accepted; suspends until the handshake is
   * done, or {@link #setRecvTimeout} of the descriptor is over. From then on all calls here on the
   * descriptor go through TLS. It stays the caller's to close, also when this fails.
   *
   * @throws javax.net.ssl.SSLHandshakeException with the reason if the handshake fails
   * @throws SocketTimeoutException when the time was up
   * @throws IllegalStateException before {@link #tlsServerInit}, or if it speaks TLS already
   */
  public static void acceptTls(int fd) throws IOException {
    Tls.accept(Io.kernel(), fd);
  }

  /**
   * Connects as {@link #connectTls(String, int)} does, but leaves the handshake to {@link
   * #tlsHandshakeStep}. Suspends until it is connected.
   */
  public static int tlsConnectStart(String host, int port) throws IOException {
    return Tls.connectStart(Io.kernel(), host, port, Io.FOREVER);
  }

  /**
   * Starts what {@link #acceptTls} does, but leaves the handshake to {@link #tlsHandshakeStep}.
   *
   * @throws IllegalStateException before {@link #tlsServerInit}, or if it speaks TLS already
   */
  public static void tlsAcceptStart(int fd) throws IOException {
    Tls.acceptStart(Io.kernel(), fd);
  }

  /**
   * Does what can be done of a handshake without waiting for the other side. Suspends only while
   * keys and certificates are worked on. Who does not want to do it in steps just reads or writes,
   * which does what is left of it.
   *
   * @return OK when the handshake is done; WANT_READ or WANT_WRITE if the descriptor must be ready
   *     for that before the next step
   * @throws javax.net.ssl.SSLHandshakeException with the reason if the handshake fails
   * @throws IllegalStateException if no handshake was started
   */
  public static IoStatus tlsHandshakeStep(int fd) throws IOException {
    Kernel kernel = Io.kernel();
    return Tls.stream(kernel, fd).step(kernel);
  }

  // ---- HTTP framing

  /**
   * Reads until the head of a request is whole, up to its empty line. Keeps nothing: what came
   * behind the head, of its body or of further requests, is in the result. Suspends until it is
   * there; see {@link #setRecvTimeout}.
   *
   * @return the head and all bytes that came with it; none at a clean end of the stream
   * @throws RequestTooLargeException if the head is over 64 KiB, its empty line included
   * @throws java.io.EOFException if the stream ends in the middle of a head
   * @throws SocketTimeoutException if the head was not there in time
   * @throws ErrnoException {@code ECONNRESET} when the other side broke it off, recv(2) ERRORS
   */
  public static byte[] readRequest(int fd) throws IOException {
    return Framing.readRequest(Io.kernel(), fd);
  }

  /**
   * Reads {@code n} bytes, fewer only if the stream ends before; suspends until they are there.
   *
   * @throws IllegalArgumentException if {@code n} is negative
   * @throws ErrnoException {@code ECONNRESET} when the other side broke it off, recv(2) ERRORS
   */
  public static byte[] drainBody(int fd, int n) throws IOException {
    if (n < 0) {
      throw new IllegalArgumentException("n " + n + " is negative");
    }
    return Io.readAll(Io.kernel(), fd, n);
  }

  /** Writes a text as UTF-8 as one chunk; see {@link #writeChunk(int, byte[])}. */
  public static void writeChunk(int fd, String s) throws IOException {
    writeChunk(fd, s.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Writes bytes as one chunk of a chunked body, RFC 9112 section 7.1, framing and bytes with one
   * write where they fit. Nothing for no bytes, which would end the body. Suspends where there is
   * no room; {@code bytesTransferred} of a cancel counts the framing too.
   *
   * @throws ErrnoException {@code EPIPE} or {@code ECONNRESET} when the other side is gone, send(2)
   *     ERRORS
   */
  public static void writeChunk(int fd, byte[] data) throws IOException {
    Framing.writeChunk(Io.kernel(), fd, data);
  }

  /** Writes the end of a chunked body, without trailers; as {@link #writeChunk(int, byte[])}. */
  public static void writeChunkEnd(int fd) throws IOException {
    Framing.writeChunkEnd(Io.kernel(), fd);
  }

  /**
   * A point in time as HTTP writes it, {@code Sun, 06 Nov 1994 08:49:37 GMT}, RFC 9110 section
   * 5.6.7.
   *
   * @throws IllegalArgumentException outside the years 0 to 9999
   */
  public static String httpDate(long epochSeconds) {
    return HttpDates.format(epochSeconds);
  }

  /**
   * The point in time that an HTTP date means, in one of the formats of RFC 9110 section 5.6.7:
   * IMF-fixdate, RFC 850 (the two digits are of the last such year that is at most 50 years ahead),
   * asctime. Never throws.
   *
   * @return seconds since 1970; -1 for what is no such date, or has the wrong day of the week
   */
  public static long parseHttpDate(@Nullable String s) {
    return HttpDates.parse(s, System.currentTimeMillis() / 1000);
  }

  /**
   * A point in time as ISO 8601 writes it, {@code 1994-11-06T08:49:37Z}.
   *
   * @throws IllegalArgumentException outside the years 0 to 9999
   */
  public static String iso8601Utc(long epochSeconds) {
    return HttpDates.iso8601(epochSeconds);
  }

  // ---- files

  /**
   * Writes a file, all that is in it, by sendfile(2) where that can serve; suspends where there is
   * no room. Opening and reading a file on a disk holds the driver for as long as that takes.
   *
   * @return how many bytes that was
   * @throws ErrnoException {@code ENOENT} or {@code EACCES}, open(2) ERRORS; {@code EINVAL} if it
   *     is no regular file; {@code EPIPE} or {@code ECONNRESET} when the other side is gone,
   *     send(2) ERRORS
   * @throws UnsupportedOperationException for a path that is not of the default file system
   */
  public static long sendfile(int fd, Path path) throws IOException {
    return SendFile.send(Io.kernel(), fd, path);
  }

  /** The size of a regular file in bytes; -1 if there is none. Holds the driver for a moment. */
  public static long filesize(Path path) {
    return SendFile.size(path);
  }

  /**
   * When a regular file was last written, in seconds since 1970; -1 if there is none. Holds the
   * driver for a moment.
   */
  public static long fileMtime(Path path) {
    return SendFile.mtime(path);
  }

  // ---- process

  /**
   * Makes SIGTERM and SIGINT set a flag, {@link #shutdownRequested}, and nothing else: the JVM goes
   * on, and the program ends when it has seen the flag. No call is interrupted. Once done it stays;
   * the second time does nothing. Does not suspend.
   *
   * @throws IllegalStateException if the JVM leaves signals alone, started with {@code -Xrs}
   */
  public static void installTermHandlers() {
    Termination.install();
  }

  /** If SIGTERM or SIGINT came after {@link #installTermHandlers}. Any thread. */
  public static boolean shutdownRequested() {
    return Termination.isRequested();
  }

  /** Suspends for at least that time; zero or less returns at once. */
  public static void sleepMs(long milliseconds) throws InterruptedIOException {
    if (milliseconds > 0) {
      try {
        Scheduler.pause(Duration.ofMillis(milliseconds));
      } catch (InterruptedException e) {
        throw Io.cancelled("sleepMs", 0, e);
      }
    }
  }

  /** The number of this process, getpid(2). */
  public static int getpid() {
    return Math.toIntExact(ProcessHandle.current().pid());
  }

  /**
   * Ends this process as {@link System#exit} does, shutdown hooks included; the ancestor's left
   * everything lying.
   */
  public static void exit(int status) {
    System.exit(status);
  }

  /** The name of the operating system, as uname(2) and in lower case: {@code linux}. */
  public static String osKind() {
    return System.getProperty("os.name", "unknown").toLowerCase(Locale.ROOT);
  }

  /** The name of the machine, as uname(2): {@code x86_64}, {@code aarch64}. */
  public static String archKind() {
    String arch = System.getProperty("os.arch", "unknown");
    return arch.equals("amd64") ? "x86_64" : arch;
  }

  /**
   * Runs a command by {@code /bin/sh -c}, its input {@code /dev/null}, and reads both its outputs
   * until nobody has them open any more; suspends until then. A cancel kills it and what it
   * started.
   *
   * @param max how many bytes of each output are kept, the rest is read and dropped; 0 for all
   * @throws IllegalArgumentException if {@code max} is negative
   * @throws IOException if the shell does not start
   */
  public static ShellResult shellCapture(String command, int max) throws IOException {
    requireMax(max);
    return Shell.capture(command, max == 0 ? Integer.MAX_VALUE : max);
  }

  private static void requireMax(int max) {
    if (max < 0) {
      throw new IllegalArgumentException("max " + max + " is negative; give 0 for no limit");
    }
  }
}
