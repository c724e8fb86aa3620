package dev.fdfiber.testing;

import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * A TCP socket that listens on a free port of 127.0.0.1, as a parameter of an {@link FdTest}:
 * non-blocking, close-on-exec, and closed after the test where it has not done so.
 */
public final class Listener implements AutoCloseable {
  private final HeldFd held;
  private final int port;

  private Listener(int fd, int port) {
    this.held = HeldFd.of(fd);
    this.port = port;
  }

  /** Makes one; whoever does closes it. */
  public static Listener open() {
    try {
      int fd = Sock.listen(0, false);
      return new Listener(fd, Sock.localPort(fd));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The listening socket. */
  public int fd() {
    return held.fd();
  }

  /** Its port. */
  public int port() {
    return port;
  }

  /** Its address. */
  public String host() {
    return "127.0.0.1";
  }

  /** Closes it if it is still open, and wakes who waits for it. */
  @Override
  public void close() {
    held.close();
  }

  @Override
  public String toString() {
    return "listener (fd " + fd() + ", port " + port + ")";
  }
}
