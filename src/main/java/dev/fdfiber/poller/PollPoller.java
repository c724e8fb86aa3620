package dev.fdfiber.poller;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.PollFds;
import java.util.function.Consumer;

/**
 * Readiness by poll(2), in its form with nanoseconds, ppoll(2).
 *
 * <p><b>Fact.</b> poll(2) keeps nothing between calls: each call hands the kernel every descriptor,
 * and it looks at each. A wait costs no system call; a call costs about 30 ns for each descriptor.
 *
 * <p><b>Hazards.</b> An entry whose events are 0 still reports POLLHUP, POLLERR and POLLNVAL, so an
 * entry that nobody waits for would turn the loop into a spin. More entries than RLIMIT_NOFILE are
 * EINVAL, however many waiters one descriptor has. A call that already blocks does not notice that
 * another thread closes a descriptor. A call that may block puts the caller into the queue of each
 * descriptor, up to the first that is ready.
 *
 * <p><b>Decision.</b> One entry for each descriptor, shared by its waiters in the order in which
 * they came; it goes with the last of them, and the last entry moves into its place. There is no
 * registration to go stale: a closed number is POLLNVAL at the next call, a number that was closed
 * and reused is simply the new file. The eventfd, which is hardly ever ready, comes last. Whoever
 * calls {@link #poll} bounds how long it blocks.
 *
 * <p><b>Price.</b> A look is linear in the number of descriptors that are waited for.
 */
public final class PollPoller implements Poller {
  private final Kernel kernel;
  private final WaitTable table = new WaitTable();
  private final PollFds pollFds = new PollFds(64); // by slot; behind them the eventfd
  private int eventFd = -1;

  /** Makes a poller over a kernel. */
  public PollPoller(Kernel kernel) {
    this.kernel = kernel;
  }

  @Override
  public int add(Wait wait) {
    if (wait.fd() < 0) {
      return -Errno.EBADF; // poll(2) would pass it over
    }
    int before = table.size();
    Waited waited = table.add(wait);
    if (table.size() > before) {
      pollFds.set(waited.slot, waited.fd, waited.events());
    } else {
      pollFds.events(waited.slot, waited.events());
    }
    return 0;
  }

  @Override
  public void remove(Wait wait) {
    changed(table.remove(wait));
  }

  @Override
  public void removeAll(int fd, Consumer<Wait> removed) {
    Waited waited = table.get(fd);
    if (waited != null) {
      table.handOut(waited, Wait.NOT_OPEN, false, removed);
      changed(waited);
    }
  }

  @Override
  public int size() {
    return table.waits();
  }

  /** How many descriptors are waited for. */
  int descriptors() {
    return table.size();
  }

  /** If a descriptor is waited for. */
  boolean knows(int fd) {
    return table.get(fd) != null;
  }

  /** Hands all waits over to another poller. */
  void moveTo(Poller other) {
    while (table.size() > 0) {
      Waited waited = table.at(table.size() - 1);
      for (Wait wait = waited.first(); wait != null; wait = waited.first()) {
        table.remove(wait);
        other.add(wait);
      }
      table.free(waited);
    }
  }

  @Override
  public void wakeBy(int fd) {
    eventFd = fd;
  }

  @Override
  public Look poll(long timeoutNanos, Consumer<Wait> ready) {
    int wake = table.size();
    int entries = wake + 1;
    pollFds.set(wake, eventFd, Linux.POLLIN);
    int found = kernel.ppoll(pollFds.array(), entries, timeoutNanos);
    while (found == -Errno.EINTR && timeoutNanos == 0) {
      found = kernel.ppoll(pollFds.array(), entries, 0);
    }
    if (found == -Errno.EINTR) {
      return Look.INTERRUPTED; // the caller knows how much time is left
    }
    if (found == 0) {
      return Look.DONE;
    }
    if (found < 0) {
      throw new IllegalStateException(
          "ppoll of " + entries + " descriptors: " + Errno.name(-found) + ", poll(2) ERRORS");
    }
    boolean woken = pollFds.revents(wake) != 0;
    int left = woken ? found - 1 : found;
    // Downwards: a slot that is freed is filled by one that was looked at before.
    for (int slot = wake - 1; slot >= 0 && left > 0; slot--) {
      int revents = pollFds.revents(slot);
      if (revents != 0) {
        left--;
        Waited waited = table.at(slot);
        boolean open = (revents & Linux.POLLNVAL) == 0;
        table.handOut(waited, open ? Waited.bits(revents) : Wait.NOT_OPEN, false, ready);
        changed(waited);
      }
    }
    return woken ? Look.WOKEN : Look.DONE;
  }

  @Override
  public boolean needsSweep() {
    return false;
  }

  @Override
  public boolean sweep(Consumer<Wait> gone) {
    return false;
  }

  @Override
  public void close() {
    pollFds.close();
  }

  /** Waits of a descriptor were taken off, maybe all. */
  private void changed(Waited waited) {
    if (!waited.isEmpty()) {
      pollFds.events(waited.slot, waited.events());
      return;
    }
    int slot = waited.slot;
    Waited moved = table.free(waited);
    if (slot < table.size()) {
      pollFds.set(slot, moved.fd, moved.events());
    }
  }
}
