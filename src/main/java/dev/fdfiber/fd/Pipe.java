package dev.fdfiber.fd;

import dev.fdfiber.FdChannel;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.ClosedChannelException;

/**
 * A pipe, pipe(7), with both of its ends. What is written to one is read from the other; a read
 * gets the end of file once the writer is closed, a write {@code EPIPE} once the reader is.
 *
 * <p>An end that was asked for as a channel does not block. One of which only the number was asked
 * for does, so it can be given to a program; close it here once the program has it, or its other
 * end never sees it closed.
 */
public final class Pipe implements Closeable {
  private static final int F_SETPIPE_SZ = 1031;
  private static final int F_GETPIPE_SZ = 1032;

  private final Kernel kernel;
  private final End<FdChannel> reader;
  private final End<FdChannel> writer;

  private Pipe(Kernel kernel, int readFd, int writeFd) {
    this.kernel = kernel;
    this.reader = new End<>(kernel, readFd, FdChannel::own);
    this.writer = new End<>(kernel, writeFd, FdChannel::own);
  }

  /**
   * Makes a pipe. Does not suspend.
   *
   * @throws dev.fdfiber.ErrnoException {@code EMFILE}, {@code ENFILE}, pipe2(2) ERRORS
   */
  public static Pipe open() throws IOException {
    Kernel kernel = Fd.callersKernel();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment fds = arena.allocate(ValueLayout.JAVA_INT, 2);
      Fd.check(kernel.pipe2(fds, Linux.O_CLOEXEC), "pipe2");
      return new Pipe(
          kernel, fds.getAtIndex(ValueLayout.JAVA_INT, 0), fds.getAtIndex(ValueLayout.JAVA_INT, 1));
    }
  }

  /** The number of the end to read from. */
  public int readFd() {
    return reader.fd();
  }

  /** The number of the end to write to. */
  public int writeFd() {
    return writer.fd();
  }

  /**
   * The end to read from, as a channel, the same each time.
   *
   * @throws ClosedChannelException if that end was closed before
   */
  public FdChannel reader() throws IOException {
    return reader.object();
  }

  /**
   * The end to write to, as a channel, the same each time.
   *
   * @throws ClosedChannelException if that end was closed before
   */
  public FdChannel writer() throws IOException {
    return writer.object();
  }

  /**
   * How many bytes fit, {@code F_GETPIPE_SZ}, fcntl(2).
   *
   * @throws ClosedChannelException if both ends are closed
   */
  public int capacity() throws IOException {
    int fd = openFd();
    return Fd.check(kernel.fcntl(fd, F_GETPIPE_SZ, 0), "fcntl F_GETPIPE_SZ(fd " + fd + ")");
  }

  /**
   * Makes it hold at least so many bytes, {@code F_SETPIPE_SZ}, fcntl(2).
   *
   * @return how many fit now
   * @throws dev.fdfiber.ErrnoException {@code EPERM} above /proc/sys/fs/pipe-max-size, {@code
   *     EBUSY} if more is in it, fcntl(2) ERRORS
   * @throws ClosedChannelException if both ends are closed
   */
  public int capacity(int bytes) throws IOException {
    int fd = openFd();
    String call = "fcntl F_SETPIPE_SZ(fd " + fd + ", " + bytes + ")";
    return Fd.check(kernel.fcntl(fd, F_SETPIPE_SZ, bytes), call);
  }

  /** Of either end: a number that was closed here may be another file's. */
  private int openFd() throws ClosedChannelException {
    if (!reader.isOpen() && !writer.isOpen()) {
      throw new ClosedChannelException();
    }
    return reader.isOpen() ? readFd() : writeFd();
  }

  /** Closes the end to read from. */
  public void closeReader() throws IOException {
    reader.close();
  }

  /** Closes the end to write to: the reader sees the end of file once it has read all. */
  public void closeWriter() throws IOException {
    writer.close();
  }

  /** Closes both ends. Whoever waits for one of them gets ClosedChannelException. */
  @Override
  public void close() throws IOException {
    End.closeBoth(writer, reader);
  }

  @Override
  public String toString() {
    return "pipe from fd " + writeFd() + " to fd " + readFd();
  }
}
