package dev.fdfiber.fd;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.FdChannel;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.NativeBuffers;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * A descriptor that one of the types owns. Its channel moves bytes and is open or closed; for other
 * calls this tries, waits where that would block, and tries again. EINTR and EAGAIN end here.
 */
final class Fd implements Closeable {
  private final Kernel kernel;
  private final FdChannel channel;

  private Fd(Kernel kernel, FdChannel channel) {
    this.kernel = kernel;
    this.channel = channel;
  }

  /** The kernel of the caller's scheduler, or the machine's. */
  static Kernel callersKernel() {
    return Scheduler.inFiber() ? Scheduler.current().kernel() : Kernel.system();
  }

  /** Takes over what a call returned, and throws if that is an error. */
  static Fd own(Kernel kernel, int result, String call) throws ErrnoException {
    int fd = check(result, call);
    try {
      return own(kernel, fd);
    } catch (RuntimeException e) {
      kernel.close(fd);
      throw e;
    }
  }

  /** Takes over a descriptor that is open, unless it throws IllegalArgumentException. */
  static Fd own(Kernel kernel, int fd) {
    return new Fd(kernel, FdChannel.own(fd));
  }

  static int check(int result, String call) throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(call, -result);
    }
    return result;
  }

  FdChannel channel() {
    return channel;
  }

  int number() {
    return channel.fd();
  }

  Kernel kernel() {
    return kernel;
  }

  boolean isOpen() {
    return channel.isOpen();
  }

  /** The name of a call on this descriptor, for messages. */
  String call(String name) {
    return name + "(fd " + number() + ")";
  }

  /** Makes a call that does not wait. */
  int now(String name, int result) throws IOException {
    if (result < 0) {
      throw failed(name, -result);
    }
    return result;
  }

  /**
   * Makes a call, again and again while it would block or is disturbed by a signal; minus EAGAIN
   * when the time is up.
   *
   * @param mode what to wait for where it would block
   */
  long await(String name, int mode, Duration timeout, LongSupplier attempt) throws IOException {
    Deadline deadline = Deadline.in(timeout);
    while (true) {
      long result = attempt(name, attempt);
      if (result >= 0 || !isReady(name, mode, deadline.left())) {
        return result;
      }
    }
  }

  /** Makes a call, again where a signal disturbs it; minus EAGAIN where it would block. */
  long attempt(String name, LongSupplier attempt) throws IOException {
    requireOpen();
    long result;
    do {
      result = attempt.getAsLong();
    } while (result == -Errno.EINTR);
    if (result < 0 && result != -Errno.EAGAIN) {
      throw failed(name, (int) -result);
    }
    return result;
  }

  /** Waits; false when the time was up. */
  boolean isReady(String name, int mode, Duration timeout) throws IOException {
    requireOpen();
    try {
      boolean ready = Scheduler.ioWait(number(), mode, timeout) != 0;
      requireOpen();
      return ready;
    } catch (ErrnoException e) {
      throw isOpen() ? e : new ClosedChannelException();
    } catch (InterruptedException e) {
      throw cancelled(call(name), e);
    }
  }

  /** What a cancelled call throws; the interrupt status is set again. */
  static InterruptedIOException cancelled(String call, InterruptedException e) {
    Thread.currentThread().interrupt();
    InterruptedIOException io = new InterruptedIOException(call + ": cancelled");
    io.initCause(e);
    return io;
  }

  private IOException failed(String name, int errno) {
    return isOpen() ? new ErrnoException(name, number(), errno) : new ClosedChannelException();
  }

  void requireOpen() throws ClosedChannelException {
    if (!isOpen()) {
      throw new ClosedChannelException();
    }
  }

  /** Reads a number of 8 bytes, such as a count; empty when the time is up. */
  OptionalLong readLong(Duration timeout) throws IOException {
    long[] value = new long[1];
    long n = await("read", Scheduler.READ, timeout, () -> readOnce(value));
    return n < 0 ? OptionalLong.empty() : OptionalLong.of(value[0]);
  }

  private long readOnce(long[] value) {
    MemorySegment buffer = NativeBuffers.take();
    try {
      long n = kernel.read(number(), buffer, Long.BYTES);
      value[0] = buffer.get(ValueLayout.JAVA_LONG, 0);
      return n;
    } finally {
      NativeBuffers.give(buffer);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  @Override
  public String toString() {
    return "fd " + number() + (isOpen() ? "" : ", closed");
  }
}
