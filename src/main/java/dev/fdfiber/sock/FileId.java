package dev.fdfiber.sock;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.NativeBuffers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Which file a descriptor is of, to tell it from a later one with the same number: the cookie of a
 * socket, {@code SO_COOKIE}, which the kernel gives once; device and inode of anything else. All
 * eventfds, timerfds and the like have one inode, so they are not told apart.
 */
record FileId(long device, long number) {
  /** Sockets are on no device that fstat(2) could name. */
  private static final long SOCKETS = -1;

  /** Null if the descriptor is not open, or nothing tells what it is (before glibc 2.33). */
  static @Nullable FileId of(Kernel kernel, int fd) {
    MemorySegment buffer = NativeBuffers.take();
    try {
      MemorySegment length = buffer.asSlice(Long.BYTES, Integer.BYTES);
      length.set(ValueLayout.JAVA_INT, 0, Long.BYTES);
      int result = kernel.getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_COOKIE, buffer, length);
      if (result == 0) {
        return new FileId(SOCKETS, buffer.get(ValueLayout.JAVA_LONG, 0));
      }
    } finally {
      NativeBuffers.give(buffer);
    }
    return byInode(kernel, fd);
  }

  private static @Nullable FileId byInode(Kernel kernel, int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment stat = arena.allocate(Linux.statLayout());
      int result = kernel.fstat(fd, stat);
      return result < 0 ? null : new FileId(Linux.device(stat), Linux.inode(stat));
    }
  }

  /** Why there is no id: EBADF or ENOSYS, as positive numbers. */
  static int whyNone(Kernel kernel, int fd) {
    return kernel.fcntl(fd, Linux.F_GETFD, 0) < 0 ? Errno.EBADF : Errno.ENOSYS;
  }
}
