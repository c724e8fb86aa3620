package dev.fdfiber.fd;

import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.NativeBuffers;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.OptionalLong;

/**
 * A counter that can be waited for, also by another process: eventfd(2). It holds up to 2<sup>64
 * </sup>-2; a taker waits while it is 0, an adder while there is no room.
 */
public final class EventFd implements Closeable {
  private static final int EFD_SEMAPHORE = 1;

  private final Fd fd;

  private EventFd(Kernel kernel, int initial, int mode) throws IOException {
    if (initial < 0) {
      throw new IllegalArgumentException("an eventfd cannot count from " + initial);
    }
    int flags = Linux.EFD_CLOEXEC | Linux.EFD_NONBLOCK | mode;
    this.fd = Fd.own(kernel, kernel.eventfd(initial, flags), "eventfd");
  }

  /**
   * A counter: a take gets all of it and sets it to 0. Does not suspend.
   *
   * @throws dev.fdfiber.ErrnoException {@code EMFILE}, {@code ENFILE}, eventfd(2) ERRORS
   * @throws IllegalArgumentException if {@code initial} is negative
   */
  public static EventFd counter(int initial) throws IOException {
    return new EventFd(Fd.callersKernel(), initial, 0);
  }

  /** A semaphore, {@code EFD_SEMAPHORE}: a take gets 1 of it. Throws as {@link #counter} does. */
  public static EventFd semaphore(int initial) throws IOException {
    return new EventFd(Fd.callersKernel(), initial, EFD_SEMAPHORE);
  }

  /** The descriptor, which gets readable when the count is not 0. */
  public int fd() {
    return fd.number();
  }

  /** Takes what is there, as {@link #counter} or {@link #semaphore} say; suspends while it is 0. */
  public long take() throws IOException {
    return take(Deadline.NEVER).orElseThrow();
  }

  /**
   * Like {@link #take()}, for at most a time; empty when that was up. From 2<sup>63</sup> on the
   * count is to be read as unsigned.
   */
  public OptionalLong take(Duration timeout) throws IOException {
    return fd.readLong(timeout);
  }

  /**
   * Adds to it; suspends while there is no room for it.
   *
   * @throws IllegalArgumentException if {@code n} is not positive
   */
  public void add(long n) throws IOException {
    add(n, Deadline.NEVER);
  }

  /**
   * Like {@link #add(long)}, for at most a time. Where it does not fit at once it goes in pieces,
   * as room is made; who is cancelled meanwhile has added a part.
   *
   * @return how much of it was added, all unless the time was up
   */
  public long add(long n, Duration timeout) throws IOException {
    if (n <= 0) {
      throw new IllegalArgumentException("cannot add " + n + " to an eventfd; add 1 or more");
    }
    Deadline deadline = Deadline.in(timeout);
    long left = n;
    // Readiness says no more than that 1 fits, so only a piece of 1 may wait for it.
    long piece = n;
    while (left > 0) {
      piece = Math.min(piece, left);
      if (tryAdd(piece)) {
        left -= piece;
      } else if (piece > 1) {
        piece /= 2;
      } else if (!fd.isReady("write", Scheduler.WRITE, deadline.left())) {
        break;
      }
    }
    return n - left;
  }

  private boolean tryAdd(long n) throws IOException {
    fd.requireOpen();
    long result = write(n);
    if (result == -Errno.EAGAIN) {
      return false;
    }
    fd.now("write", (int) result);
    return true;
  }

  private long write(long n) {
    MemorySegment buffer = NativeBuffers.take();
    try {
      buffer.set(ValueLayout.JAVA_LONG, 0, n);
      return fd.kernel().write(fd.number(), buffer, Long.BYTES);
    } finally {
      NativeBuffers.give(buffer);
    }
  }

  /** Closes it. Whoever waits for it gets ClosedChannelException. */
  @Override
  public void close() throws IOException {
    fd.close();
  }

  @Override
  public String toString() {
    return "eventfd " + fd;
  }
}
