package dev.fdfiber.testing;

import dev.fdfiber.kernel.Kernel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A kernel in which blocking takes no time: where ppoll would block and nothing is ready, the clock
 * jumps to the end of the timeout. Keeps every timeout that was asked for. With nothing ready and a
 * timeout without end it really blocks, for other threads to wake it.
 */
public final class TimeKernel extends ForwardingKernel {
  private final ManualClock clock;
  private final List<Long> timeouts = Collections.synchronizedList(new ArrayList<>());

  public TimeKernel(ManualClock clock) {
    super(Kernel.system());
    this.clock = clock;
  }

  /** The timeouts of all polls so far, in nanoseconds: 0 does not block, -1 has no end. */
  public List<Long> timeouts() {
    synchronized (timeouts) {
      return List.copyOf(timeouts);
    }
  }

  /** Those that would have blocked. */
  public List<Long> blockingTimeouts() {
    return timeouts().stream().filter(t -> t != 0).toList();
  }

  @Override
  protected int look(long timeoutNanos, Look next) {
    timeouts.add(timeoutNanos);
    int found = super.look(Math.min(timeoutNanos, 0), next);
    if (found == 0 && timeoutNanos > 0) {
      clock.advanceNanos(timeoutNanos);
    }
    return found;
  }
}
