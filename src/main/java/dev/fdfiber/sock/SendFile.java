package dev.fdfiber.sock;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.NativeBuffers;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Files as they are, from the disk to a descriptor.
 *
 * <p>sendfile(2) has no flag like {@code MSG_DONTWAIT}, so it is used only where the other end is
 * non-blocking; where that would block, or sendfile(2) cannot do it, and over TLS, bytes are read
 * and written. Opening and reading a regular file never makes a fiber park: it holds the driver
 * while the disk works. So the file goes in pieces, and between two of them others get their turn.
 */
final class SendFile {
  private static final int PIECE = 1 << 20;

  private SendFile() {}

  static long send(Kernel kernel, int fd, Path path) throws IOException {
    int flags = kernel.fcntl(fd, Linux.F_GETFL, 0);
    if (flags < 0) {
      throw Io.failed(kernel, "sendfile", fd, -flags);
    }
    int file = open(kernel, path);
    try {
      boolean byCopy = (flags & Linux.O_NONBLOCK) == 0 || FdStates.tls(kernel, fd) != null;
      long sent = byCopy ? -1 : bySendfile(kernel, fd, file);
      sent = sent < 0 ? byCopy(kernel, fd, file, path) : sent;
      FdStates.succeeded(fd);
      return sent;
    } finally {
      kernel.close(file);
    }
  }

  /** The bytes sent, or -1 where sendfile(2) cannot serve these two. */
  private static long bySendfile(Kernel kernel, int fd, int file) throws IOException {
    long sent = 0;
    long piece = 0;
    while (true) {
      long n = kernel.sendfile(fd, file, PIECE - piece);
      if (n == 0) {
        return sent;
      }
      if (n > 0) {
        sent += n;
        piece += n;
      } else if (sent == 0 && (n == -Errno.EINVAL || n == -Errno.ENOSYS)) {
        return -1;
      } else {
        Io.writeAgain(kernel, fd, (int) -n, sent);
        piece = n == -Errno.EAGAIN ? 0 : piece;
      }
      if (piece == PIECE) {
        Io.await(kernel, "write", fd, Scheduler.WRITE, Io.FOREVER, sent);
        piece = 0;
      }
    }
  }

  private static long byCopy(Kernel kernel, int fd, int file, Path path) throws IOException {
    long sent = 0;
    while (true) {
      byte[] some = read(kernel, file, path);
      if (some.length == 0) {
        return sent;
      }
      try {
        Io.write(kernel, fd, some);
      } catch (InterruptedIOException e) {
        e.bytesTransferred = (int) Math.min(sent + e.bytesTransferred, Integer.MAX_VALUE);
        throw e;
      }
      sent += some.length;
      if (sent % PIECE == 0) {
        Io.await(kernel, "write", fd, Scheduler.WRITE, Io.FOREVER, sent);
      }
    }
  }

  private static byte[] read(Kernel kernel, int file, Path path) throws ErrnoException {
    MemorySegment buffer = NativeBuffers.take();
    try {
      long n;
      do {
        n = kernel.read(file, buffer, NativeBuffers.SIZE);
      } while (n == -Errno.EINTR);
      Io.check((int) n, "read of " + path);
      return buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE);
    } finally {
      NativeBuffers.give(buffer);
    }
  }

  private static int open(Kernel kernel, Path path) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(path.toFile().getPath());
      // O_NONBLOCK: a FIFO is opened and then refused, not waited for
      int flags = Linux.O_RDONLY | Linux.O_CLOEXEC | Linux.O_NOCTTY | Linux.O_NONBLOCK;
      int file = Io.check(kernel.open(name, flags, 0), "open of " + path);
      MemorySegment stat = arena.allocate(Linux.statLayout());
      boolean known = kernel.fstat(file, stat) == 0; // not before glibc 2.33
      if (known && (Linux.mode(stat) & Linux.S_IFMT) != Linux.S_IFREG) {
        kernel.close(file);
        throw new ErrnoException("sendfile of " + path, Errno.EINVAL);
      }
      return file;
    }
  }

  // ---- what files are

  static long size(Path path) {
    BasicFileAttributes file = regular(path);
    return file == null ? -1 : file.size();
  }

  static long mtime(Path path) {
    BasicFileAttributes file = regular(path);
    return file == null ? -1 : file.lastModifiedTime().to(TimeUnit.SECONDS);
  }

  private static @Nullable BasicFileAttributes regular(Path path) {
    try {
      BasicFileAttributes file = Files.readAttributes(path, BasicFileAttributes.class);
      return file.isRegularFile() ? file : null;
    } catch (IOException e) {
      return null;
    }
  }
}
