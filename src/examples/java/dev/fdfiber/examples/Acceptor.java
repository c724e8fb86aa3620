package dev.fdfiber.examples;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * The fiber that accepts. A wake-up takes every connection that is pending. When the process has no
 * descriptor left the listener stays ready, and a loop that went on at once would hold the thread:
 * it pauses instead, says so, and tries again.
 */
final class Acceptor {
  private static final int BATCH = 64;
  private static final double BACK_OFF_SECONDS = 0.1;
  private static final long QUIET_NANOS = 60_000_000_000L;

  private final int listener;
  private final IntConsumer onConnection;
  private final Consumer<String> log;
  private long saidAt = System.nanoTime() - QUIET_NANOS;

  Acceptor(int listener, IntConsumer onConnection, Consumer<String> log) {
    this.listener = listener;
    this.onConnection = onConnection;
    this.log = log;
  }

  /** Accepts until it is stopped or cancelled. */
  void run(BooleanSupplier stopping) throws IOException, InterruptedException {
    while (!stopping.getAsBoolean()) {
      Scheduler.ioWait(listener, Scheduler.READ, -1);
      try {
        acceptPending(stopping);
      } catch (ErrnoException e) {
        complain(e);
        Scheduler.pause(BACK_OFF_SECONDS);
      }
    }
  }

  private void acceptPending(BooleanSupplier stopping) throws IOException {
    for (int i = 0; i < BATCH && !stopping.getAsBoolean(); i++) {
      int fd = Sock.acceptNb(listener);
      if (fd < 0) {
        return;
      }
      onConnection.accept(fd);
    }
  }

  private void complain(ErrnoException e) {
    long now = System.nanoTime();
    if (now - saidAt >= QUIET_NANOS) {
      saidAt = now;
      log.accept("cannot accept for now, and tries again: " + e.getMessage());
    }
  }
}
