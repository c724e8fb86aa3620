package dev.fdfiber.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Reads and writes that do not block on descriptors whose flags must stay as they are, because
 * {@code O_NONBLOCK} belongs to the open file description and so to every process that shares it.
 *
 * <p>A socket is asked with {@code MSG_DONTWAIT}. Anything else is polled first, and a write is cut
 * to {@link Linux#PIPE_BUF} bytes, which fit where poll(2) says that something fits. Who shares the
 * descriptor can still be faster between the two calls; only a private description avoids that.
 */
public final class NonBlocking {
  private NonBlocking() {}

  /** Reads like read(2); minus EAGAIN where that would block. */
  public static long read(Kernel kernel, int fd, MemorySegment buffer, long count) {
    long n = kernel.recv(fd, buffer, count, Linux.MSG_DONTWAIT);
    if (n != -Errno.ENOTSOCK) {
      return n;
    }
    int ready = ready(kernel, fd, Linux.POLLIN);
    return ready > 0 ? kernel.read(fd, buffer, count) : noneReady(ready);
  }

  /** Writes like write(2), and maybe less; minus EAGAIN where that would block. */
  public static long write(Kernel kernel, int fd, MemorySegment buffer, long count) {
    long n = kernel.send(fd, buffer, count, Linux.MSG_DONTWAIT | Linux.MSG_NOSIGNAL);
    if (n != -Errno.ENOTSOCK) {
      return n;
    }
    int ready = ready(kernel, fd, Linux.POLLOUT);
    return ready > 0 ? kernel.write(fd, buffer, Math.min(count, Linux.PIPE_BUF)) : noneReady(ready);
  }

  /** Looks whether a descriptor is ready now: positive if so, 0 if not, or minus errno. */
  public static int ready(Kernel kernel, int fd, int events) {
    MemorySegment poll = NativeBuffers.take();
    try {
      PollFds.encode(poll, 0, fd, events);
      return kernel.ppoll(poll, 1, 0);
    } finally {
      NativeBuffers.give(poll);
    }
  }

  private static long noneReady(int ready) {
    return ready == 0 ? -Errno.EAGAIN : ready;
  }
}
