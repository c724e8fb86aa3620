package dev.fdfiber.poller;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.PollFds;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Readiness by poll(2), in its form with nanoseconds, ppoll(2).
 *
 * <p><b>Fact.</b> poll(2) keeps nothing between calls: each call hands the kernel every descriptor,
 * and it looks at each. A wait costs no system call; a call costs about 30 ns for each descriptor.
 *
 * <p><b>Hazards.</b> An entry whose events are 0 still reports POLLHUP, POLLERR and POLLNVAL, so an
 * entry that nobody waits for would turn the loop into a spin. More entries than RLIMIT_NOFILE are
 * EINVAL, however many waiters one descriptor has. A call that already blocks does not notice that
 * another thread closes a descriptor.
 *
 * <p><b>Decision.</b> One entry for each descriptor, shared by its waiters in the order in which
 * they came; it goes with the last of them, and the last entry moves into its place. There is no
 * registration to go stale: a closed number is POLLNVAL at the next call, a number that was closed
 * and reused is simply the new file. Whoever calls {@link #poll} bounds how long it blocks.
 *
 * <p><b>Price.</b> A look is linear in the number of descriptors that are waited for.
 */
public final class PollPoller implements Poller {
  private static final int WAKE_SLOT = 0;

  private final Kernel kernel;
  private final PollFds pollFds = new PollFds(64);
  private final FdMap slotOf = new FdMap();
  // By slot: the list of waits, and how many of them read and write.
  private @Nullable Wait[] first = new Wait[64];
  private @Nullable Wait[] last = new Wait[64];
  private int[] readers = new int[64];
  private int[] writers = new int[64];
  private int slots = 1; // slot 0 belongs to the eventfd
  private int waits;

  /** Makes a poller over a kernel. */
  public PollPoller(Kernel kernel) {
    this.kernel = kernel;
    pollFds.set(WAKE_SLOT, -1, Linux.POLLIN);
  }

  @Override
  public int add(Wait wait) {
    if (wait.fd() < 0) {
      return -Errno.EBADF; // poll(2) would pass it over
    }
    int slot = slotOf.get(wait.fd());
    if (slot < 0) {
      slot = newSlot(wait.fd());
    }
    Wait before = last[slot];
    wait.previous = before;
    wait.next = null;
    if (before == null) {
      first[slot] = wait;
    } else {
      before.next = wait;
    }
    last[slot] = wait;
    wait.registered = true;
    waits++;
    count(slot, wait, 1);
    return 0;
  }

  @Override
  public void remove(Wait wait) {
    int slot = slotOf.get(wait.fd());
    unlink(slot, wait);
    if (first[slot] == null) {
      freeSlot(slot);
    }
  }

  @Override
  public void removeAll(int fd, Consumer<Wait> removed) {
    int slot = slotOf.get(fd);
    if (slot < 0) {
      return;
    }
    Wait next;
    for (Wait w = first[slot]; w != null; w = next) {
      next = w.next;
      unlink(slot, w);
      removed.accept(w);
    }
    freeSlot(slot);
  }

  @Override
  public int size() {
    return waits;
  }

  @Override
  public void wakeBy(int eventFd) {
    pollFds.set(WAKE_SLOT, eventFd, Linux.POLLIN);
  }

  @Override
  public Look poll(long timeoutNanos, Consumer<Wait> ready) {
    int found = kernel.ppoll(pollFds.array(), slots, timeoutNanos);
    while (found == -Errno.EINTR && timeoutNanos == 0) {
      found = kernel.ppoll(pollFds.array(), slots, 0);
    }
    if (found == -Errno.EINTR) {
      return Look.INTERRUPTED; // the caller knows how much time is left
    }
    if (found == 0) {
      return Look.DONE;
    }
    if (found < 0) {
      throw new IllegalStateException(
          "ppoll of " + slots + " descriptors: " + Errno.name(-found) + ", poll(2) ERRORS");
    }
    boolean woken = pollFds.revents(WAKE_SLOT) != 0;
    int left = woken ? found - 1 : found;
    // Downwards: a slot that is freed is filled by one that was looked at before.
    for (int slot = slots - 1; slot > WAKE_SLOT && left > 0; slot--) {
      int revents = pollFds.revents(slot);
      if (revents != 0) {
        left--;
        handOut(slot, revents, ready);
      }
    }
    return woken ? Look.WOKEN : Look.DONE;
  }

  @Override
  public void close() {
    pollFds.close();
  }

  private void handOut(int slot, int revents, Consumer<Wait> ready) {
    int bits = bits(revents);
    Wait next;
    for (Wait w = first[slot]; w != null; w = next) {
      next = w.next;
      int seen = bits == Wait.NOT_OPEN ? Wait.NOT_OPEN : bits & w.mode();
      if (seen != 0) {
        w.ready(seen);
        unlink(slot, w);
        ready.accept(w);
      }
    }
    if (first[slot] == null) {
      freeSlot(slot);
    }
  }

  /** Hang-up and error count as every bit, so that the call that follows reports the cause. */
  static int bits(int revents) {
    if ((revents & Linux.POLLNVAL) != 0) {
      return Wait.NOT_OPEN;
    }
    if ((revents & (Linux.POLLHUP | Linux.POLLERR)) != 0) {
      return Wait.READ | Wait.WRITE;
    }
    return ((revents & Linux.POLLIN) != 0 ? Wait.READ : 0)
        | ((revents & Linux.POLLOUT) != 0 ? Wait.WRITE : 0);
  }

  private int newSlot(int fd) {
    int slot = slots++;
    if (slot == readers.length) {
      int larger = slot * 2;
      first = Arrays.copyOf(first, larger);
      last = Arrays.copyOf(last, larger);
      readers = Arrays.copyOf(readers, larger);
      writers = Arrays.copyOf(writers, larger);
    }
    pollFds.set(slot, fd, 0);
    slotOf.put(fd, slot);
    return slot;
  }

  private void freeSlot(int slot) {
    slotOf.remove(pollFds.fd(slot));
    int moved = --slots;
    if (slot != moved) {
      first[slot] = first[moved];
      last[slot] = last[moved];
      readers[slot] = readers[moved];
      writers[slot] = writers[moved];
      pollFds.set(slot, pollFds.fd(moved), 0);
      count(slot, 0, 0);
      slotOf.put(pollFds.fd(slot), slot);
    }
    first[moved] = null;
    last[moved] = null;
    readers[moved] = 0;
    writers[moved] = 0;
  }

  private void unlink(int slot, Wait wait) {
    Wait before = wait.previous;
    Wait after = wait.next;
    if (before == null) {
      first[slot] = after;
    } else {
      before.next = after;
    }
    if (after == null) {
      last[slot] = before;
    } else {
      after.previous = before;
    }
    wait.previous = null;
    wait.next = null;
    wait.registered = false;
    waits--;
    count(slot, wait, -1);
  }

  private void count(int slot, Wait wait, int by) {
    count(slot, (wait.mode() & Wait.READ) != 0 ? by : 0, (wait.mode() & Wait.WRITE) != 0 ? by : 0);
  }

  private void count(int slot, int byReaders, int byWriters) {
    readers[slot] += byReaders;
    writers[slot] += byWriters;
    pollFds.events(
        slot, (readers[slot] > 0 ? Linux.POLLIN : 0) | (writers[slot] > 0 ? Linux.POLLOUT : 0));
  }
}
