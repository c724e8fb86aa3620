package dev.fdfiber.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Options of sockets that are one int, socket(7), tcp(7). */
public final class SocketOptions {
  private SocketOptions() {}

  /**
   * Reads an option of level {@code SOL_SOCKET} that is never negative, getsockopt(2).
   *
   * @return its value, or minus errno
   */
  public static int get(Kernel kernel, int fd, int option) {
    MemorySegment buffer = NativeBuffers.take();
    try {
      MemorySegment length = buffer.asSlice(Integer.BYTES, Integer.BYTES);
      length.set(ValueLayout.JAVA_INT, 0, Integer.BYTES);
      int result = kernel.getsockopt(fd, Linux.SOL_SOCKET, option, buffer, length);
      return result < 0 ? result : buffer.get(ValueLayout.JAVA_INT, 0);
    } finally {
      NativeBuffers.give(buffer);
    }
  }

  /** Sets an option of a level, setsockopt(2). 0, or minus errno. */
  public static int set(Kernel kernel, int fd, int level, int option, int value) {
    MemorySegment buffer = NativeBuffers.take();
    try {
      buffer.set(ValueLayout.JAVA_INT, 0, value);
      return kernel.setsockopt(fd, level, option, buffer, Integer.BYTES);
    } finally {
      NativeBuffers.give(buffer);
    }
  }
}
