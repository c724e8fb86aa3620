package dev.fdfiber;

import dev.fdfiber.poller.Registration;
import dev.fdfiber.poller.Wait;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a fiber parks: in a pause, for a descriptor, or for another fiber. */
final class Parking {
  private Parking() {}

  static void pause(Task task, long nanos) throws InterruptedException {
    throwIfCancelled(task, "pause");
    if (nanos == 0) {
      task.loop.leave(task);
      return;
    }
    task.loop.waits.register(task, -1, 0, nanos);
    if (task.loop.suspend(task, Fiber.State.PAUSED)) {
      finish(task, "pause");
      if (task.outcome() == Task.Outcome.CANCELLED) { // in a shield
        pause(task, left(task, nanos));
      }
      return;
    }
    try {
      pinned(task, -1, 0, nanos);
    } catch (IOException e) {
      throw new IllegalStateException("a pinned pause cannot wait: " + e.getMessage(), e);
    }
  }

  static int ioWait(
      Task task, int fd, int mode, long timeoutNanos, @Nullable Registration registration)
      throws IOException, InterruptedException {
    if (isCancelled(task)) {
      // A channel keeps the status: who swallows that in a loop must not hold the driver for ever.
      task.loop.leave(task);
      throw cancelled(task, "ioWait");
    }
    int result = fd < 0 ? -1 : task.loop.waits.register(task, fd, mode, timeoutNanos, registration);
    if (result < 0) {
      throw fd < 0 ? BlockingWait.notOpen(fd) : new ErrnoException("ioWait", fd, -result);
    }
    if (!task.loop.suspend(task, Fiber.State.WAITING_IO)) {
      return pinned(task, fd, mode, timeoutNanos);
    }
    boolean closed = finish(task, "ioWait");
    if (closed || task.outcome() == Task.Outcome.CLOSED) {
      throw new ClosedChannelException();
    }
    if (task.outcome() == Task.Outcome.CANCELLED) { // in a shield
      if (registration != null && registration.hasSeen(mode)) {
        return mode; // an edge came meanwhile, and comes no more
      }
      return ioWait(task, fd, mode, left(task, timeoutNanos), registration);
    }
    return task.outcome() == Task.Outcome.TIMEOUT ? 0 : bits(task);
  }

  /** Waits for several descriptors at once; what was seen of each, 0 or NOT_OPEN included. */
  static int[] ioWaitAny(Task task, int[] fds, int[] modes, long timeoutNanos)
      throws IOException, InterruptedException {
    if (isCancelled(task)) {
      task.loop.leave(task); // as in ioWait
      throw cancelled(task, "ioWaitAny");
    }
    GroupWait group = new GroupWait(task, fds, modes);
    task.loop.waits.registerGroup(task, group, timeoutNanos);
    try {
      if (!task.loop.suspend(task, Fiber.State.WAITING_IO)) {
        return pinned(task, fds, modes, timeoutNanos);
      }
      finish(task, "ioWaitAny");
      if (task.outcome() != Task.Outcome.CANCELLED) {
        return group.seen();
      }
    } finally {
      task.group = null;
    }
    return ioWaitAny(task, fds, modes, left(task, timeoutNanos)); // in a shield
  }

  /** Waits for another fiber of the same scheduler; false when the time was up. */
  static boolean join(Task task, Task other, long nanos) throws InterruptedException {
    throwIfCancelled(task, "join");
    if (other.is(Fiber.State.DONE)) {
      return true;
    }
    if (nanos == 0) {
      return false;
    }
    other.addJoiner(task);
    task.loop.joining.put(task, other);
    task.loop.waits.register(task, -1, 0, nanos);
    boolean left = task.loop.suspend(task, Fiber.State.BLOCKED);
    task.loop.joining.remove(task);
    if (task.outcome() != Task.Outcome.JOINED && other.joiners != null) {
      other.joiners.remove(task);
    }
    if (!left) {
      throw new IllegalStateException(
          "fiber "
              + task.name()
              + " is pinned and would wait for fiber "
              + other.name()
              + " for ever: "
              + userStack());
    }
    finish(task, "join");
    if (task.outcome() == Task.Outcome.CANCELLED) { // in a shield
      return join(task, other, left(task, nanos));
    }
    return task.outcome() == Task.Outcome.JOINED;
  }

  /** The bits that a wait saw. */
  static int bits(Wait wait) throws ErrnoException {
    if (wait.ready() < 0) {
      throw new ErrnoException("ioWait", wait.fd(), -wait.ready());
    }
    return wait.ready();
  }

  /**
   * True if the descriptor was closed after the wait was over and before the fiber went on. A fiber
   * that is cancelled in a shield comes back, and has to wait again.
   */
  private static boolean finish(Task task, String call) throws InterruptedException {
    return switch (task.outcome()) {
      case READY, TIMEOUT -> task.loop.waits.wasClosed(task);
      case CANCELLED -> {
        Thread.interrupted();
        if (!isDeferred(task)) {
          throw cancelled(task, call);
        }
        yield false;
      }
      case CLOSED, JOINED, NONE -> false;
    };
  }

  /** Serves a wait that cannot unmount: it holds the driver, and says so. */
  private static int pinned(Task task, int fd, int mode, long timeoutNanos)
      throws IOException, InterruptedException {
    Runnable again = tellPinned(task, fd < 0 ? "a pause" : "ioWait on fd " + fd, timeoutNanos);
    BlockingWait blocking = new BlockingWait(task.loop.kernel, task.loop.clock);
    return blocking.await(fd, mode, timeoutNanos, again);
  }

  private static int[] pinned(Task task, int[] fds, int[] modes, long timeoutNanos)
      throws IOException, InterruptedException {
    String wait = "ioWaitAny on " + fds.length + " descriptors";
    Runnable again = tellPinned(task, wait, timeoutNanos);
    BlockingWait blocking = new BlockingWait(task.loop.kernel, task.loop.clock);
    return blocking.awaitAny(fds, modes, timeoutNanos, again);
  }

  /** Reports the wait, or refuses it; what to run each second if it has no end, else null. */
  private static @Nullable Runnable tellPinned(Task task, String wait, long timeoutNanos) {
    List<StackTraceElement> stack = userStack();
    if (task.loop.strict) {
      throw new IllegalStateException(Reports.pinnedMessage(task, wait, stack));
    }
    Reports.pinned(task, wait, stack);
    return timeoutNanos < 0 ? () -> Reports.pinned(task, wait, stack) : null;
  }

  private static List<StackTraceElement> userStack() {
    String own = Parking.class.getPackageName() + ".";
    return StackWalker.getInstance()
        .walk(frames ->
            frames
                .map(StackWalker.StackFrame::toStackTraceElement)
                .dropWhile(f -> isOurs(f, own))
                .takeWhile(f -> !f.getClassName().equals(Task.class.getName()))
                .limit(20)
                .toList());
  }

  private static boolean isOurs(StackTraceElement frame, String own) {
    String name = frame.getClassName();
    return name.equals(Parking.class.getName())
        || name.equals(Scheduler.class.getName())
        || name.startsWith(own + "FdChannel")
        || name.startsWith(own + "sock.");
  }

  /** What is left of the time of a wait that a shield repeats. */
  private static long left(Task task, long nanos) {
    return nanos < 0 ? nanos : Math.max(0, task.deadlineNanos - task.loop.clock.nanoTime());
  }

  private static void throwIfCancelled(Task task, String call) throws InterruptedException {
    if (isCancelled(task)) {
      throw cancelled(task, call);
    }
  }

  /** Takes the interrupt status; false where there is none, or where it has to wait. */
  private static boolean isCancelled(Task task) {
    return Thread.interrupted() && !isDeferred(task);
  }

  static boolean isDeferred(Task task) {
    ScopeOwner owner = task.loop.ownerOf(task);
    return owner != null && owner.defersInterrupt();
  }

  private static InterruptedException cancelled(Task task, String call) {
    ScopeOwner owner = task.loop.ownerOf(task);
    FiberScope expired = owner == null ? null : owner.expired();
    if (expired == null) {
      return new InterruptedException("the fiber was cancelled in " + call);
    }
    expired.deadline().interruptSeen();
    return new InterruptedException(expired.deadline().expiredMessage() + ", in " + call);
  }
}
