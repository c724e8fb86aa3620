package dev.fdfiber.testing;

import dev.fdfiber.kernel.Kernel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Semaphore;

/** The machine's kernel, and a way to wait until somebody blocks in a poll. */
public final class WatchedKernel extends ForwardingKernel {
  private final Semaphore blocking = new Semaphore(0);
  private final List<Long> timeouts = Collections.synchronizedList(new ArrayList<>());

  public WatchedKernel() {
    super(Kernel.system());
  }

  /** The timeouts of all polls so far, in nanoseconds: 0 does not block, -1 has no end. */
  public List<Long> timeouts() {
    synchronized (timeouts) {
      return List.copyOf(timeouts);
    }
  }

  /** Returns when a poll that blocks begins, or has begun and was not waited for yet. */
  public void awaitBlockingPoll() throws InterruptedException {
    blocking.acquire();
  }

  /** Forgets the blocking polls so far. */
  public void forgetBlockingPolls() {
    blocking.drainPermits();
  }

  @Override
  protected int look(long timeoutNanos, Look next) {
    timeouts.add(timeoutNanos);
    if (timeoutNanos != 0) {
      blocking.release();
    }
    return super.look(timeoutNanos, next);
  }
}
