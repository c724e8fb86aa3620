package dev.fdfiber.examples.http;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Place;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Server and client as two fibers of the thread that tests, over a socket pair: no ports, no
 * threads, the same order every time.
 */
final class Served {
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 (\\d{3}) ");

  boolean isStopping;
  private final Scheduler scheduler;
  private final HttpService service;

  /** Runs in that scheduler, whose owner sees what fails. */
  Served(Scheduler scheduler, Handler handler) {
    this(scheduler, handler, Limits.defaults());
  }

  Served(Scheduler scheduler, Handler handler, Limits limits) {
    this.scheduler = scheduler;
    this.service = new HttpService(handler, limits);
  }

  /** Limits whose times are short, for tests in which they pass. */
  static Limits hasty() {
    Duration time = Duration.ofMillis(50);
    return Limits.defaults().within(time, time, time);
  }

  /** Answers with what it got: the method, the target's parts, the body. */
  static Response echo(Request request) throws Exception {
    String body = new String(request.body().all(1 << 20), StandardCharsets.ISO_8859_1);
    String got = request.method() + " " + request.path() + " " + request.query() + " " + body;
    byte[] bytes = got.getBytes(StandardCharsets.ISO_8859_1);
    return Response.of(200, "text/plain; charset=iso-8859-1", bytes);
  }

  /** What a client does on its end. */
  @FunctionalInterface
  interface Client {
    void talk(int fd) throws Exception;
  }

  /** A connection, and a client on it, to the end of both. */
  void with(Client client) throws Exception {
    Fds.Pair pair = Fds.socketPair();
    try (pair) {
      scheduler.spawn("server", () -> serve(pair.b()));
      Fiber fiber = scheduler.spawn("client", () -> talk(client, pair.a()));
      scheduler.run();
      Place.rethrow(fiber);
    }
  }

  private void serve(int fd) throws Exception {
    try {
      service.serve(new Alone(fd, () -> isStopping));
    } finally {
      Sock.close(fd);
    }
  }

  private static void talk(Client client, int fd) throws Exception {
    try {
      client.talk(fd);
    } finally {
      Sock.close(fd);
    }
  }

  /** Everything that comes back for these bytes, which end the client's sending. */
  String say(String bytes) throws Exception {
    return say(bytes, true);
  }

  /** Everything that comes back for these bytes, until the server ends the connection. */
  String sayAndWait(String bytes) throws Exception {
    return say(bytes, false);
  }

  private String say(String bytes, boolean ends) throws Exception {
    byte[] raw = bytes(bytes);
    StringBuilder answer = new StringBuilder();
    with(fd -> {
      Sock.writeBytes(fd, raw, raw.length);
      if (ends) {
        Sock.shutdownWrite(fd);
      }
      answer.append(text(Sock.recvAll(fd, 0)));
    });
    return answer.toString();
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** A request for that path, with these further lines. */
  static String get(String path, String... lines) {
    StringBuilder head = new StringBuilder("GET " + path + " HTTP/1.1\r\nHost: x\r\n");
    for (String line : lines) {
      head.append(line).append("\r\n");
    }
    return head.append("\r\n").toString();
  }

  /** A POST with these lines, and a body as it is. */
  static String post(String lines, String body) {
    return "POST / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n" + body;
  }

  /** The lines of status in what came back. */
  static List<String> statuses(String answers) {
    return STATUS.matcher(answers).results().map(found -> found.group(1)).toList();
  }
}
