package dev.fdfiber.examples;

import dev.fdfiber.Scheduler;
import dev.fdfiber.examples.http.Request;
import dev.fdfiber.examples.http.Response;
import dev.fdfiber.sock.Sock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code GET /poll}: a long-poll, the wiki's second use. The fiber asks an upstream and waits on
 * that descriptor until there is an answer to relay or its time is up. By default the upstream is
 * this very worker: the thread waits for itself, and that works because only the fiber does.
 */
final class LongPoll {
  private static final double MAX_WAIT_SECONDS = 25;
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);
  private static final int MAX_ANSWER = 64 * 1024;
  private static final Pattern ANSWER =
      Pattern.compile("HTTP/1\\.[01] 2\\d\\d[^\r\n]*\r\n(.*?\r\n)?\r\n(.*)", Pattern.DOTALL);
  private static final Pattern LENGTH =
      Pattern.compile("(?i)(?:^|\n)Content-Length:[ \t]*(\\d{1,9})[ \t]*\r\n");

  private final Options.Upstream upstream;

  LongPoll(Options.Upstream upstream) {
    this.upstream = upstream;
  }

  /** {@code ?ms=} is passed on to the upstream; {@code ?wait=} is for how many seconds to wait. */
  Response answer(Request request) throws Exception {
    long millis = (long) request.number("ms", Upstream.MILLIS, 0, Upstream.MAX_MILLIS);
    double wait = request.number("wait", MAX_WAIT_SECONDS, 0.001, MAX_WAIT_SECONDS);
    try {
      return ask("/upstream?ms=" + millis, wait);
    } catch (SocketTimeoutException e) {
      return Response.text(502, "the upstream did not let us connect in time\n");
    } catch (InterruptedIOException e) {
      throw e; // this fiber is cancelled
    } catch (IOException e) {
      return Response.text(502, "the upstream cannot be reached: " + e.getMessage() + "\n");
    }
  }

  private Response ask(String target, double wait) throws IOException, InterruptedException {
    int fd = Sock.connect(upstream.host(), upstream.port(), CONNECT_LIMIT);
    try {
      Sock.writeStr(fd, "GET " + target + " HTTP/1.0\r\nHost: " + upstream.host() + "\r\n\r\n");
      if (Scheduler.ioWait(fd, Scheduler.READ, wait) == 0) {
        return Response.empty(204);
      }
      return relay(readAll(fd));
    } finally {
      Sock.close(fd);
    }
  }

  /** Reads to the end, or as much as comes without a gap that is too long. */
  private static String readAll(int fd) throws IOException, InterruptedException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    while (all.size() < MAX_ANSWER) {
      byte[] some = Sock.recvSome(fd, MAX_ANSWER - all.size());
      if (some.length == 0) {
        break;
      }
      all.writeBytes(some);
      if (Scheduler.ioWait(fd, Scheduler.READ, MAX_WAIT_SECONDS) == 0) {
        throw new IOException("it stopped in the middle of its answer");
      }
    }
    return all.toString(StandardCharsets.ISO_8859_1);
  }

  private static Response relay(String answer) throws IOException {
    Matcher parts = ANSWER.matcher(answer);
    if (!parts.matches()) {
      throw new IOException("it does not answer with HTTP and a status of 2xx");
    }
    String body = parts.group(2);
    Matcher length = LENGTH.matcher(parts.group(1) == null ? "" : parts.group(1));
    if (length.find() && Integer.parseInt(length.group(1)) != body.length()) {
      throw new IOException("its answer is not as long as it says");
    }
    byte[] bytes = body.getBytes(StandardCharsets.ISO_8859_1);
    return Response.text(200, new String(bytes, StandardCharsets.UTF_8))
        .with("Cache-Control", "no-store");
  }

  /** {@code GET /upstream}: answers after a pause, for {@code /poll} to wait on. */
  static final class Upstream {
    static final int MILLIS = 3000;
    static final int MAX_MILLIS = 60_000;

    private Upstream() {}

    static Response answer(Request request) throws Exception {
      double millis = request.number("ms", MILLIS, 0, MAX_MILLIS);
      Scheduler.pause(millis / 1000);
      return Response.text(200, "news after " + (long) millis + " ms\n")
          .with("Cache-Control", "no-store");
    }
  }
}
