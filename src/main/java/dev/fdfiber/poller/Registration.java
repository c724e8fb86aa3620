package dev.fdfiber.poller;

import org.jspecify.annotations.Nullable;

/**
 * What the owner of a descriptor keeps in a poller between its waits: that epoll(7) goes on telling
 * when it becomes ready, edge-triggered, so that a wait costs no system call of its own. Only the
 * owner can have one, since it must go before the descriptor is closed.
 *
 * <p>An edge comes once. So whoever waits must have seen that there was nothing: a read or write
 * that would have blocked, after {@link #clear}; or a read that took all there was, if no edge came
 * since, which {@link #hasSeen} tells.
 *
 * <p>The poller that came first has it; in others the same descriptor is waited for like any. What
 * is seen is written and read by the driver of that poller and the fibers on it; {@link #end} may
 * be called by any thread.
 */
public final class Registration {
  private final int fd;
  private @Nullable EpollPoller poller;
  private boolean ended;
  private int seen;
  private boolean closing;

  /** A registration in no poller yet. */
  public Registration(int fd) {
    this.fd = fd;
  }

  /** Forgets what was seen of a mode: the caller is about to find out. */
  public void clear(int mode) {
    seen &= ~mode;
  }

  /** If an edge was seen since {@link #clear}. */
  public boolean hasSeen(int mode) {
    return (seen & mode) != 0;
  }

  /** If the other end hung up, or will: reads end though nothing new is told. */
  public boolean isClosing() {
    return closing;
  }

  /** Takes it out of the poller that has it, for good: the descriptor is about to be closed. */
  public void end() {
    EpollPoller last;
    synchronized (this) {
      ended = true;
      last = poller;
      poller = null;
    }
    if (last != null) {
      last.delete(fd);
    }
  }

  // ---- the poller's

  /** Takes it, if no other has it. */
  @SuppressWarnings("ReferenceEquality") // a poller is itself alone
  synchronized boolean claim(EpollPoller by) {
    if (!ended && (poller == null || poller.isClosed())) {
      poller = by;
    }
    return poller == by;
  }

  /** Lets go of it, where the kernel has. */
  synchronized void release() {
    poller = null;
  }

  void see(int bits, boolean end) {
    seen |= bits;
    closing |= end;
  }
}
