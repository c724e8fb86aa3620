package dev.fdfiber.sock;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A connection of a worker, and whether it is idle. The worker's thread only. */
final class ServedConnection implements Workers.Connection, AutoCloseable {
  /** How old a connection may be to be let speak for the first time after a stop. */
  private static final long FRESH_NANOS = 1_000_000_000L;

  private final Worker worker;
  private final Scheduler scheduler;
  private final int fd;
  private final long acceptedNanos;
  private @Nullable Fiber fiber;
  private boolean isIdle;
  private boolean hasSpoken;

  ServedConnection(Worker worker, Scheduler scheduler, int fd) {
    this.worker = worker;
    this.scheduler = scheduler;
    this.fd = fd;
    this.acceptedNanos = scheduler.clock().nanoTime();
  }

  @Override
  public int fd() {
    return fd;
  }

  @Override
  public int worker() {
    return worker.index();
  }

  @Override
  public Scheduler scheduler() {
    return scheduler;
  }

  @Override
  public boolean isStopping() {
    return worker.isStopping();
  }

  @Override
  public boolean awaitRequest(Duration idleLimit) throws IOException {
    boolean isThere = isStopping() ? awaitAtStop(idleLimit) : awaitIdle(idleLimit);
    hasSpoken |= isThere;
    return isThere;
  }

  private boolean awaitIdle(Duration idleLimit) throws IOException {
    isIdle = true;
    try {
      return Sock.awaitReadable(fd, idleLimit);
    } catch (ClosedChannelException e) {
      if (!isStopping()) {
        throw e;
      }
    } finally {
      isIdle = false;
    }
    return awaitAtStop(idleLimit); // both may have come at once
  }

  /**
   * A client must not get an end for an answer just because it is quicker to connect than to ask.
   */
  private boolean awaitAtStop(Duration idleLimit) throws IOException {
    long age = scheduler.clock().nanoTime() - acceptedNanos;
    Duration limit = Duration.ofNanos(hasSpoken ? 0 : Math.max(0, FRESH_NANOS - age));
    boolean isShorter = !idleLimit.isNegative() && idleLimit.compareTo(limit) < 0;
    return Sock.awaitReadable(fd, isShorter ? idleLimit : limit);
  }

  /** Lets an idle connection see that there is a stop. */
  void wakeIfIdle() {
    if (isIdle) {
      Scheduler.closing(fd);
    }
  }

  void servedBy(Fiber fiber) {
    this.fiber = fiber;
  }

  /** Waits for the end of the fiber that serves it. */
  void join(Duration limit) throws InterruptedException {
    if (fiber != null) {
      fiber.join(limit);
    }
  }

  /**
   * Closes the descriptor.
   *
   * @throws dev.fdfiber.ErrnoException {@code EBADF} if its handler has done so
   */
  @Override
  public void close() throws IOException {
    Sock.close(fd);
  }

  /** Closes the descriptor for a fiber that will never get to it. */
  void abandon() {
    Tcp.close(scheduler.kernel(), fd);
  }
}
