package dev.fdfiber.sock;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.NativeBuffers;
import dev.fdfiber.kernel.NonBlocking;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.SocketTimeoutException;
import java.time.Duration;

/**
 * Reads and writes that wait where they would block, and note how they ended. Every read and write
 * of this package ends up here, and nothing here knows what the bytes mean.
 */
final class Io {
  static final Duration FOREVER = Duration.ofSeconds(-1);

  private Io() {}

  /** The kernel of the caller's scheduler, or the machine's. */
  static Kernel kernel() {
    return Scheduler.inFiber() ? Scheduler.current().kernel() : Kernel.system();
  }

  // ---- writing

  /** Writes the parts, one after the other and all of them, together where they fit. */
  static void write(Kernel kernel, int fd, byte[]... parts) throws IOException {
    int total = 0;
    for (byte[] part : parts) {
      total = Math.addExact(total, part.length);
    }
    write(kernel, fd, total, parts);
  }

  /** Writes the first {@code total} bytes of the parts. */
  static void write(Kernel kernel, int fd, int total, byte[]... parts) throws IOException {
    TlsStream tls = FdStates.tls(kernel, fd);
    if (tls != null) {
      tls.write(kernel, total, parts);
      return;
    }
    int done = 0;
    while (done < total) {
      long written = writeOnce(kernel, fd, done, total, parts);
      if (written >= 0) {
        done += (int) written;
      } else {
        writeAgain(kernel, fd, (int) -written, done);
      }
    }
    FdStates.succeeded(fd);
  }

  /** After a write that failed: returns when it can be tried again. */
  static void writeAgain(Kernel kernel, int fd, int errno, long done) throws IOException {
    if (errno == Errno.EAGAIN) {
      await(kernel, "write", fd, Scheduler.WRITE, FOREVER, done);
    } else if (errno != Errno.EINTR) {
      throw failed(kernel, "write", fd, errno);
    }
  }

  private static long writeOnce(Kernel kernel, int fd, int from, int total, byte[]... parts) {
    MemorySegment buffer = NativeBuffers.take();
    try {
      int count = Math.min(total - from, NativeBuffers.SIZE);
      int partStart = 0;
      int filled = 0;
      for (byte[] part : parts) {
        int skip = Math.max(0, from + filled - partStart);
        int some = Math.min(part.length - skip, count - filled);
        if (some > 0) {
          MemorySegment.copy(part, skip, buffer, ValueLayout.JAVA_BYTE, filled, some);
          filled += some;
        }
        partStart += part.length;
      }
      return NonBlocking.write(kernel, fd, buffer, count);
    } finally {
      NativeBuffers.give(buffer);
    }
  }

  // ---- reading

  /**
   * Reads what is there, at least a byte and at most {@code max}; none at the end of the stream.
   *
   * @param limit how long to wait for it; negative is without end
   * @param before how many bytes the call that this is a part of has already
   */
  static byte[] read(Kernel kernel, int fd, int max, Duration limit, int before)
      throws IOException {
    TlsStream tls = FdStates.tls(kernel, fd);
    if (tls != null) {
      return tls.read(kernel, max, limit, before);
    }
    while (true) {
      MemorySegment buffer = NativeBuffers.take();
      long n;
      try {
        n = NonBlocking.read(kernel, fd, buffer, Math.min(max, NativeBuffers.SIZE));
        if (n > 0) {
          byte[] bytes = buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE);
          FdStates.succeeded(fd);
          return bytes;
        }
      } finally {
        NativeBuffers.give(buffer);
      }
      if (n == 0) {
        FdStates.ended(kernel, fd, IoStatus.EOF);
        return new byte[0];
      }
      readAgain(kernel, fd, (int) -n, limit, before);
    }
  }

  /** After a read that failed: returns when it can be tried again. */
  private static void readAgain(Kernel kernel, int fd, int errno, Duration limit, int before)
      throws IOException {
    if (errno == Errno.EAGAIN) {
      if (!await(kernel, "read", fd, Scheduler.READ, limit, before)) {
        throw timedOut(kernel, fd, limit, before);
      }
    } else if (errno != Errno.EINTR) {
      throw failed(kernel, "read", fd, errno);
    }
  }

  /** Reads to the end of the stream, or {@code max} bytes. */
  static byte[] readAll(Kernel kernel, int fd, int max) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    while (all.size() < max) {
      byte[] some = read(kernel, fd, max - all.size(), recvTimeout(kernel, fd), all.size());
      if (some.length == 0) {
        break;
      }
      all.writeBytes(some);
    }
    return all.toByteArray();
  }

  /** Waits until a read would not; false when the time was up. */
  static boolean awaitReadable(Kernel kernel, int fd, Duration timeout) throws IOException {
    TlsStream tls = FdStates.tls(kernel, fd);
    return tls != null
        ? tls.awaitReadable(kernel, timeout)
        : await(kernel, "read", fd, Scheduler.READ, timeout, 0);
  }

  /** How long a read may wait for bytes; negative is without end. */
  static Duration recvTimeout(Kernel kernel, int fd) {
    long nanos = FdStates.recvTimeoutNanos(kernel, fd);
    return nanos < 0 ? FOREVER : Duration.ofNanos(nanos);
  }

  // ---- parts

  /** Waits; false when the time was up. */
  static boolean await(
      Kernel kernel, String call, int fd, int mode, Duration timeout, long transferred)
      throws IOException {
    try {
      return Scheduler.ioWait(fd, mode, timeout) != 0;
    } catch (InterruptedException e) {
      boolean reads = mode == Scheduler.READ;
      FdStates.ended(kernel, fd, reads ? IoStatus.WANT_READ : IoStatus.WANT_WRITE);
      throw cancelled(call + " on fd " + fd, transferred, e);
    }
  }

  /** Ends the sending direction of a connection, below any TLS. */
  static void shutdownWrite(Kernel kernel, int fd) throws IOException {
    int result = kernel.shutdown(fd, Linux.SHUT_WR);
    if (result < 0) {
      throw failed(kernel, "shutdown", fd, -result);
    }
    FdStates.succeeded(fd);
  }

  /** What a read throws when its time was up, noted. */
  static SocketTimeoutException timedOut(Kernel kernel, int fd, Duration limit, int before) {
    FdStates.ended(kernel, fd, IoStatus.WANT_READ);
    SocketTimeoutException e =
        new SocketTimeoutException("read on fd " + fd + ": nothing within " + limit);
    e.bytesTransferred = before;
    return e;
  }

  /** What a cancelled call throws; the interrupt status is set again. */
  static InterruptedIOException cancelled(String call, long transferred, InterruptedException e) {
    Thread.currentThread().interrupt();
    InterruptedIOException io = new InterruptedIOException(call + ": cancelled");
    io.bytesTransferred = (int) Math.min(transferred, Integer.MAX_VALUE);
    io.initCause(e);
    return io;
  }

  /** What a failed call throws, noted. */
  static ErrnoException failed(Kernel kernel, String call, int fd, int errno) {
    FdStates.ended(kernel, fd, IoStatus.ERROR);
    return new ErrnoException(call, fd, errno);
  }

  static int check(int result, String call) throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(call, -result);
    }
    return result;
  }
}
