package dev.fdfiber.examples;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import java.util.Locale;

/**
 * {@code GET /events}: a stream of server-sent events, the wiki's first use. The fiber parks
 * between events, so a stream that lasts for hours costs the thread only its events. Each one tells
 * how long the pause before it took.
 */
final class Events {
  private static final double SECONDS_BETWEEN = 1;

  private Events() {}

  /** {@code ?ms=} sets the time between two events. */
  static Response answer(Request request) throws Request.Refused {
    double seconds = request.number("ms", SECONDS_BETWEEN * 1000, 10, 60_000) / 1000;
    return Response.stream("text/event-stream; charset=utf-8", fd -> stream(fd, seconds))
        .with("X-Accel-Buffering", "no");
  }

  /** Ends when a write fails, because the client is gone, or the fiber is cancelled. */
  private static void stream(int fd, double seconds) throws Exception {
    double paused = 0;
    for (long n = 1; true; n++) {
      int fibers = Scheduler.current().aliveCount();
      Sock.writeStr(fd, event(n, paused, fibers));
      long start = System.nanoTime();
      Scheduler.pause(seconds);
      paused = (System.nanoTime() - start) / 1e6;
    }
  }

  private static String event(long n, double paused, int fibers) {
    return String.format(
        Locale.ROOT,
        "id: %d\ndata: {\"n\":%d,\"pausedMillis\":%.2f,\"fibers\":%d}\n\n",
        n,
        n,
        paused,
        fibers);
  }
}
