package dev.fdfiber.examples;

import dev.fdfiber.Scheduler;
import dev.fdfiber.examples.http.Out;
import dev.fdfiber.examples.http.Refused;
import dev.fdfiber.examples.http.Request;
import dev.fdfiber.examples.http.Response;
import java.time.Duration;
import java.util.Locale;

/**
 * {@code GET /events}: a stream of server-sent events, the wiki's first use. The fiber parks
 * between events, so a stream that lasts for hours costs the thread only its events. Each one tells
 * how long the pause before it took. A client that comes back tells the last event that it saw, and
 * the count goes on from there.
 */
final class Events {
  private static final double MILLIS_BETWEEN = 1000;

  /** When a client comes back whose stream has ended. */
  private static final int RETRY_MILLIS = 500;

  private Events() {}

  /** {@code ?ms=} sets the time between two events, {@code ?count=} how many there are at most. */
  static Response answer(Request request) throws Refused {
    long micros = (long) (1000 * request.number("ms", MILLIS_BETWEEN, 10, 60_000));
    long count = (long) request.number("count", Long.MAX_VALUE, 1, Long.MAX_VALUE);
    long first = 1 + request.fields().first("Last-Event-ID").map(Events::id).orElse(0L);
    Duration between = Duration.ofNanos(1000 * micros);
    return Response.stream(
            "text/event-stream; charset=utf-8", out -> stream(out, between, first, count))
        .with("Cache-Control", "no-store")
        .with("X-Accel-Buffering", "no");
  }

  /** What a client says it saw last; 0 if that is none of ours. */
  private static long id(String text) {
    return text.matches("[0-9]{1,15}") ? Long.parseLong(text) : 0;
  }

  /** Ends when the client is gone, the server stops, or the last event is sent. */
  private static void stream(Out out, Duration between, long first, long count) throws Exception {
    out.write("retry: " + RETRY_MILLIS + "\n\n");
    double paused = 0;
    boolean goesOn = true;
    for (long n = first; goesOn && n - first < count; n++) {
      int fibers = Scheduler.current().aliveCount();
      out.write(event(n, paused, fibers));
      long start = System.nanoTime();
      goesOn = out.pause(between);
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
