package dev.fdfiber;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.poller.PollPoller;
import dev.fdfiber.poller.Wait;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A wait that blocks the calling thread in the kernel: outside a fiber, and in one that cannot be
 * unmounted. An eventfd beside the descriptor lets an interrupt end it.
 */
final class BlockingWait extends Wait {
  private final Kernel kernel;
  private final Clock clock;

  BlockingWait(Kernel kernel, Clock clock) {
    this.kernel = kernel;
    this.clock = clock;
  }

  /**
   * Waits for a descriptor, or with {@code fd} -1 for nothing but the time.
   *
   * @param eachSlice runs each time that the kernel was asked for a second and saw nothing
   * @return what was seen of the mode, 0 when the time was up
   */
  int await(int fd, int mode, long timeoutNanos, @Nullable Runnable eachSlice)
      throws ErrnoException, InterruptedException {
    try (PollPoller poller = new PollPoller(kernel);
        Waker waker = new Waker(kernel)) {
      if (fd >= 0) {
        ask(fd, mode, 0);
        poller.add(this);
      }
      if (timeoutNanos != 0) {
        int eventFd = waker.open();
        if (eventFd == fd) {
          throw notOpen(fd); // or the eventfd could not have got its number
        }
        poller.wakeBy(eventFd);
      }
      Interrupts interrupts = new Interrupts(waker::signal);
      waker.fallAsleep();
      interrupts.enter();
      try {
        return turns(poller, timeoutNanos, eachSlice) ? Parking.bits(this) : 0;
      } finally {
        interrupts.leave();
      }
    }
  }

  /** Waits for several descriptors; what was seen of each, all 0 when the time was up. */
  int[] awaitAny(int[] fds, int[] modes, long timeoutNanos, @Nullable Runnable eachSlice)
      throws ErrnoException, InterruptedException {
    GroupWait group = new GroupWait(null, fds, modes);
    try (PollPoller poller = new PollPoller(kernel);
        Waker waker = new Waker(kernel)) {
      long nanos = group.addTo(poller, 0) ? timeoutNanos : 0;
      if (nanos != 0) {
        int eventFd = waker.open();
        GroupWait.Member same = group.member(eventFd);
        if (same != null) {
          same.closed(); // or the eventfd could not have got its number
          return group.seen();
        }
        poller.wakeBy(eventFd);
      }
      Interrupts interrupts = new Interrupts(waker::signal);
      waker.fallAsleep();
      interrupts.enter();
      try {
        turns(poller, nanos, eachSlice);
        return group.seen();
      } finally {
        interrupts.leave();
      }
    }
  }

  /** Returns when a wait of the poller is over, or the time is up: false. */
  private boolean turns(PollPoller poller, long timeoutNanos, @Nullable Runnable eachSlice)
      throws ErrnoException, InterruptedException {
    List<Wait> seen = new ArrayList<>(1);
    long deadline = timeoutNanos < 0 ? 0 : clock.nanoTime() + timeoutNanos;
    while (true) {
      if (Thread.interrupted()) {
        throw new InterruptedException("interrupted in " + this);
      }
      long left = timeoutNanos < 0 ? Times.FOREVER : Math.max(0, deadline - clock.nanoTime());
      poller.poll(Times.shorter(left, Waits.SWEEP_NANOS), seen::add);
      if (!seen.isEmpty()) {
        return true;
      }
      if (left == 0) {
        return false;
      }
      if (eachSlice != null && (left < 0 || left > Waits.SWEEP_NANOS)) {
        eachSlice.run();
      }
    }
  }

  @Override
  public String toString() {
    return fd() < 0 ? "pause" : "ioWait(fd " + fd() + ")";
  }

  static ErrnoException notOpen(int fd) {
    return new ErrnoException("ioWait", fd, Errno.EBADF);
  }
}
