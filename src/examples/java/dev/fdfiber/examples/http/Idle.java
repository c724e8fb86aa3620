package dev.fdfiber.examples.http;

import java.io.IOException;
import java.time.Duration;

/** How a connection waits for its next request: idle, so that a server that stops may end it. */
@FunctionalInterface
public interface Idle {
  /**
   * Suspends until there is something to read.
   *
   * @return false if the time was up or the server stops: the connection is to be closed
   */
  boolean awaitRequest(Duration limit) throws IOException, InterruptedException;
}
