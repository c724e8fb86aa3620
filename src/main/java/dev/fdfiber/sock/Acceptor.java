package dev.fdfiber.sock;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * Accepts from one listening socket. When the process has no descriptor left the socket stays
 * ready, and a loop that went on at once would hold the thread: it pauses instead, says so once in
 * a while, and tries again. The connections wait in the kernel's queue meanwhile.
 *
 * <p>All in one fiber, or several of one scheduler.
 */
final class Acceptor {
  private static final Duration BACK_OFF = Duration.ofMillis(100);
  private static final long QUIET_NANOS = 60_000_000_000L;

  private final Kernel kernel;
  private final int listener;
  private final int batch;
  private final IntConsumer onConnection;
  private final Consumer<String> log;
  private boolean hasSaid;
  private long saidAt;

  /**
   * For one listening socket, which must be non-blocking.
   *
   * @param batch how many to take before others of this scheduler get their turn
   */
  Acceptor(Kernel kernel, int listener, int batch, IntConsumer onConnection, Consumer<String> log) {
    this.kernel = kernel;
    this.listener = listener;
    this.batch = batch;
    this.onConnection = onConnection;
    this.log = log;
  }

  /** Accepts until it is cancelled, which loses no connection. */
  void run() throws IOException, InterruptedException {
    while (true) {
      Scheduler.ioWait(listener, Scheduler.READ, -1);
      if (Thread.interrupted()) { // since the wait was over: the number may be another's by now
        throw new InterruptedException("accept(fd " + listener + "): cancelled");
      }
      if (!acceptPending(batch)) {
        Scheduler.pause(BACK_OFF);
      }
    }
  }

  /** Accepts what is there, without a wait; false if there is more that cannot be accepted now. */
  boolean acceptPending(int most) throws ErrnoException {
    for (int i = 0; i < most; i++) {
      int result = kernel.accept4(listener, Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK);
      if (result >= 0) {
        onConnection.accept(Tcp.accepted(kernel, result));
        continue;
      }
      switch (-result) {
        case Errno.EAGAIN -> {
          return true;
        }
        case Errno.EMFILE, Errno.ENFILE, Errno.ENOBUFS, Errno.ENOMEM, Errno.EPERM -> {
          complain(-result);
          return false;
        }
        default -> {
          if (!Tcp.isGone(-result)) {
            throw new ErrnoException("accept", listener, -result);
          }
        }
      }
    }
    return true;
  }

  private void complain(int errno) {
    long now = Scheduler.current().clock().nanoTime();
    if (!hasSaid || now - saidAt >= QUIET_NANOS) {
      hasSaid = true;
      saidAt = now;
      ErrnoException e = new ErrnoException("accept", listener, errno);
      log.accept("cannot accept for now, and tries again: " + e.getMessage());
    }
  }
}
