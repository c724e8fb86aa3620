package dev.fdfiber.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * A pipe, pipe(7), as a parameter of an {@link FdTest}: both ends are non-blocking, close-on-exec,
 * and closed after the test where it has not done so. A test may close them as it likes.
 */
public final class Pipe implements AutoCloseable {
  private final HeldFd read;
  private final HeldFd write;

  private Pipe(Fds.Pair ends) {
    this.read = HeldFd.of(ends.a());
    this.write = HeldFd.of(ends.b());
  }

  /** Makes one; whoever does closes it. */
  public static Pipe open() {
    return new Pipe(Fds.pipe());
  }

  /** The end that is read from. */
  public int readFd() {
    return read.fd();
  }

  /** The end that is written to. */
  public int writeFd() {
    return write.fd();
  }

  /**
   * Writes to it, and suspends until all of it was read; see {@link Peer#writeUntilRead}.
   *
   * @throws dev.fdfiber.ErrnoException {@code EPIPE} if nobody can read it any more
   */
  public void writeUntilRead(String text) throws IOException, InterruptedException {
    Peer.writeUntilRead(writeFd(), text.getBytes(StandardCharsets.UTF_8));
  }

  /** Closes the ends that are still open, and wakes who waits for them. */
  @Override
  public void close() {
    read.close();
    write.close();
  }

  @Override
  public String toString() {
    return "pipe (read fd " + readFd() + ", write fd " + writeFd() + ")";
  }
}
