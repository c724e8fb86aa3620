package dev.fdfiber.poller;

import dev.fdfiber.kernel.Linux;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One descriptor that is waited for, and its waits in the order of their registration. A {@link
 * WaitTable} makes these and uses them again for other descriptors.
 */
final class Waited {
  int fd;

  /** Its place in the table, where those in use are dense. */
  int slot;

  // What the kernel was asked; by EpollPoller alone.
  int armed; // events, 0 when it will report nothing
  int number; // what it will report them with, 0 when it was never asked
  @Nullable Registration lasting; // whose owner goes on being told
  int pending = -1; // its place among those to be asked before the next look

  private @Nullable Wait first;
  private @Nullable Wait last;
  private int readers;
  private int writers;

  Waited(int slot) {
    this.slot = slot;
  }

  boolean isEmpty() {
    return first == null;
  }

  @Nullable Wait first() {
    return first;
  }

  /** What is waited for: POLLIN and POLLOUT, which are EPOLLIN and EPOLLOUT too. */
  int events() {
    return (readers > 0 ? Linux.POLLIN : 0) | (writers > 0 ? Linux.POLLOUT : 0);
  }

  void append(Wait wait) {
    Wait before = last;
    wait.previous = before;
    wait.next = null;
    if (before == null) {
      first = wait;
    } else {
      before.next = wait;
    }
    last = wait;
    wait.waited = this;
    count(wait, 1);
  }

  void unlink(Wait wait) {
    Wait before = wait.previous;
    Wait after = wait.next;
    if (before == null) {
      first = after;
    } else {
      before.next = after;
    }
    if (after == null) {
      last = before;
    } else {
      after.previous = before;
    }
    wait.previous = null;
    wait.next = null;
    wait.waited = null;
    wait.asked = false;
    count(wait, -1);
  }

  /**
   * Takes off and hands out the waits that are over: what {@code seen} has of their mode, or with
   * an error, minus errno, every one. Returns how many that were.
   */
  int handOut(int seen, boolean askedOnly, Consumer<Wait> ready) {
    int count = 0;
    Wait next;
    for (Wait w = first; w != null; w = next) {
      next = w.next;
      int bits = seen < 0 ? seen : seen & w.mode();
      if (bits != 0 && (w.asked || !askedOnly)) {
        w.ready(bits);
        unlink(w);
        ready.accept(w);
        count++;
      }
    }
    return count;
  }

  private void count(Wait wait, int by) {
    readers += (wait.mode() & Wait.READ) != 0 ? by : 0;
    writers += (wait.mode() & Wait.WRITE) != 0 ? by : 0;
  }

  /** Hang-up and error count as every bit, so that the call that follows reports the cause. */
  static int bits(int revents) {
    if ((revents & (Linux.POLLHUP | Linux.POLLERR)) != 0) {
      return Wait.READ | Wait.WRITE;
    }
    return ((revents & Linux.POLLIN) != 0 ? Wait.READ : 0)
        | ((revents & Linux.POLLOUT) != 0 ? Wait.WRITE : 0);
  }
}
