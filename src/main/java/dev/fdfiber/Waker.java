package dev.fdfiber;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.NativeBuffers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * Wakes a thread that blocks in the kernel: an eventfd, eventfd(2), and the protocol around it.
 *
 * <p><b>No wake-up is lost.</b> The sleeper announces that it falls asleep, then looks once more
 * whether there is something to do, then blocks. Others first publish what there is to do, then
 * look whether the sleeper has announced itself, and signal only then. Both sides write before they
 * read, with volatile accesses, so at least one sees the other. A signal to a sleeper that has just
 * woken up stays in the eventfd and costs one empty turn. The first to signal takes the
 * announcement back, so a burst is one system call.
 *
 * <p><b>No signal touches a descriptor that is closed.</b> The number could be somebody else's file
 * by then. A signaller counts itself in with {@link #enter} and out with {@link #exit}; closing
 * sets the sign bit of the same counter, which refuses newcomers, waits for those inside, and then
 * closes. There is no lock, because a signal may come from inside the JDK's own locks.
 */
final class Waker implements AutoCloseable {
  private static final int CLOSED = Integer.MIN_VALUE;
  private static final MemorySegment ONE = one();

  private static final AtomicIntegerFieldUpdater<Waker> ASLEEP =
      AtomicIntegerFieldUpdater.newUpdater(Waker.class, "asleep");

  private final Kernel kernel;
  private final AtomicInteger inside = new AtomicInteger();
  private volatile int fd = -1;
  private volatile int asleep; // 1 if it is

  Waker(Kernel kernel) {
    this.kernel = kernel;
  }

  /** The sleeper: the eventfd, made at the first call. */
  int open() throws ErrnoException {
    if (fd < 0) {
      int made = kernel.eventfd(0, Linux.EFD_CLOEXEC | Linux.EFD_NONBLOCK);
      if (made < 0) {
        throw new ErrnoException("eventfd", -made);
      }
      fd = made;
    }
    return fd;
  }

  /** The sleeper: if the eventfd has been made. */
  boolean isOpen() {
    return fd >= 0;
  }

  /** The sleeper: announces that it blocks unless it finds something to do right after this. */
  void fallAsleep() {
    asleep = 1;
  }

  /** The sleeper: no longer blocks. Who sees that late signals in vain, so it needs no fence. */
  void wakeUp() {
    ASLEEP.lazySet(this, 0);
  }

  /** The sleeper: takes the signals that came. */
  void drain() {
    MemorySegment buffer = NativeBuffers.take();
    kernel.read(fd, buffer, Long.BYTES); // EAGAIN says that there was none
    NativeBuffers.give(buffer);
  }

  /** Any thread: counts the caller in; false once this is closed. */
  boolean enter() {
    if (inside.getAndIncrement() >= 0) {
      return true;
    }
    inside.getAndDecrement();
    return false;
  }

  /** Any thread: counts the caller out. */
  void exit() {
    inside.getAndDecrement();
  }

  /** Between {@link #enter} and {@link #exit}: wakes the sleeper if it sleeps. */
  void signalInside() {
    if (asleep != 0) {
      asleep = 0;
      long result;
      do {
        result = kernel.write(fd, ONE, Long.BYTES);
      } while (result == -Errno.EINTR);
      if (result < 0 && result != -Errno.EAGAIN) { // EAGAIN: it is full of signals
        asleep = 1; // the next one tries again
      }
    }
  }

  /** Any thread: wakes the sleeper if it sleeps; does nothing once this is closed. */
  void signal() {
    if (enter()) {
      try {
        signalInside();
      } finally {
        exit();
      }
    }
  }

  /** Refuses everybody, and waits for those inside. */
  void refuse() {
    inside.getAndUpdate(n -> n | CLOSED);
    while (inside.get() != CLOSED) {
      Thread.onSpinWait();
    }
  }

  /** Refuses everybody, waits for those inside, and closes the eventfd. */
  @Override
  public void close() {
    refuse();
    if (fd >= 0) {
      kernel.close(fd);
      fd = -1;
    }
  }

  private static MemorySegment one() {
    MemorySegment one = Arena.global().allocate(ValueLayout.JAVA_LONG);
    one.set(ValueLayout.JAVA_LONG, 0, 1);
    return one;
  }
}
