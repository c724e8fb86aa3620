package dev.fdfiber.testing;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.NonBlocking;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Writes that end when they were read. No descriptor gets ready for that, so the writer is parked,
 * and each call of a fiber that takes bytes, or closes, lets it look again. What others read, such
 * as the test itself between two drives, is seen when nothing else can happen.
 */
final class Lockstep implements SystemCall.Filter {
  private static final Set<String> TAKERS =
      Set.of("read", "recv", "recvmsg", "sendfile", "close", "shutdown");

  private record Write(int fd, Thread writer) {
    boolean isOver() {
      return Fds.unread(fd) == 0 || isBroken(fd);
    }
  }

  private final List<Write> writes = new CopyOnWriteArrayList<>();

  /** That of the scheduler whose fiber calls; null where it is not a test's. */
  static @Nullable Lockstep current() {
    return Scheduler.inFiber()
        ? SystemCall.filter(Scheduler.current().kernel(), Lockstep.class)
        : null;
  }

  /** Suspends until nothing of what was written is unread. */
  void await(int fd) throws IOException, InterruptedException {
    Write write = new Write(fd, Thread.currentThread());
    writes.add(write);
    try {
      while (Fds.unread(fd) > 0) {
        if (isBroken(fd)) {
          throw new ErrnoException("write until read", fd, Errno.EPIPE);
        }
        LockSupport.park(this);
        if (Thread.interrupted()) {
          throw new InterruptedException("cancelled while fd " + fd + " is to be read");
        }
      }
    } finally {
      writes.remove(write);
    }
  }

  @Override
  public long around(SystemCall call) {
    long result = call.proceed();
    if (!writes.isEmpty() && TAKERS.contains(call.name())) {
      writes.forEach(write -> LockSupport.unpark(write.writer));
    }
    return result;
  }

  /** Lets those go on whose bytes are gone; true if there are some. */
  boolean wake() {
    boolean woken = false;
    for (Write write : writes) {
      if (write.isOver()) {
        LockSupport.unpark(write.writer);
        woken = true;
      }
    }
    return woken;
  }

  boolean isWaiting() {
    return !writes.isEmpty();
  }

  /** If nobody will ever read it: poll(2) tells of an error without being asked. */
  private static boolean isBroken(int fd) {
    return NonBlocking.ready(Kernel.system(), fd, 0) != 0;
  }

  @Override
  public String toString() {
    return "writes until they are read";
  }
}
