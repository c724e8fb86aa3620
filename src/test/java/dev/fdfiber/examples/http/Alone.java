package dev.fdfiber.examples.http;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Workers;
import java.io.IOException;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** A connection without workers around it. */
record Alone(int fd, BooleanSupplier stopping) implements Workers.Connection {
  @Override
  public int worker() {
    return 0;
  }

  @Override
  public Scheduler scheduler() {
    return Scheduler.current();
  }

  @Override
  public boolean isStopping() {
    return stopping.getAsBoolean();
  }

  @Override
  public boolean awaitRequest(Duration limit) throws IOException, InterruptedException {
    return !isStopping() && Scheduler.ioWait(fd, Scheduler.READ, limit) != 0;
  }
}
