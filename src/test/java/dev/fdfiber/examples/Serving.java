package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.examples.http.Routes;
import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A worker in this process, on a free port; closing it checks that no fiber failed. */
final class Serving implements AutoCloseable {
  static final Options ANY_PORT = Options.defaults().onPort(0).withGrace(Duration.ofMillis(200));

  private static final Pattern LOCATION =
      Pattern.compile("\r\nLocation: http://([^:]+):(\\d+)(\\S+)\r\n");

  final Worker worker;

  /** What fibers failed with, by their names. */
  final Queue<String> uncaught = new ConcurrentLinkedQueue<>();

  /** What the operator is told. */
  final Queue<String> log = new ConcurrentLinkedQueue<>();

  private Serving(Options options, Consumer<Routes> routes) throws IOException {
    Worker.Setup setup =
        new Worker.Setup(
            workers ->
                workers
                    .log(log::add)
                    .scheduler((scheduler, i) ->
                        scheduler.onUncaught((f, t) -> uncaught.add(f.name() + ": " + t))),
            routes);
    worker = Worker.open(options, setup);
    worker.start();
  }

  static Serving start() throws IOException {
    return start(ANY_PORT);
  }

  static Serving start(Options options) throws IOException {
    return start(options, routes -> {});
  }

  static Serving start(Options options, Consumer<Routes> routes) throws IOException {
    return new Serving(options, routes);
  }

  int port() {
    return worker.port();
  }

  String url(String target) {
    return "http://127.0.0.1:" + port() + target;
  }

  /** A new connection; whoever asks closes it. */
  int connect() throws IOException {
    return Sock.connect("127.0.0.1", port());
  }

  /** Connections that send nothing, all of which the worker has accepted. */
  List<Integer> park(int count) throws IOException {
    List<Integer> fds = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      fds.add(connect());
    }
    assertThat(fibers("/dump").lines().filter(line -> line.contains("  WAITING_IO  ")).count())
        .as("those, and the one that accepts")
        .isGreaterThan(count);
    return fds;
  }

  /** Sends bytes as they are and returns everything that comes back. */
  String send(String bytes) throws IOException {
    return send(port(), bytes);
  }

  static String send(int port, String bytes) throws IOException {
    int fd = Sock.connect("127.0.0.1", port);
    try {
      Sock.writeStr(fd, bytes);
      return new String(Sock.recvAll(fd, 0), StandardCharsets.UTF_8);
    } finally {
      Sock.close(fd);
    }
  }

  /** The whole answer to a request, head and body. */
  String request(String method, String target) throws IOException {
    return send(
        method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  }

  String get(String target) throws IOException {
    return request("GET", target);
  }

  /** The port of the page of the fibers. */
  int fibersPort() {
    return URI.create(worker.fibers().orElseThrow()).getPort();
  }

  /** A new connection to that page, that has asked for something; whoever asks closes it. */
  int openFibers(String target) throws IOException {
    int fd = Sock.connect("127.0.0.1", fibersPort());
    Sock.writeStr(fd, "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return fd;
  }

  /** What the page answers to whom the worker leads there, after all who came before. */
  String fibers(String target) throws IOException {
    return fibers(port(), "/fibers" + target, "localhost");
  }

  static String fibers(int port, String target, String host) throws IOException {
    String head = send(port, "GET " + target + " HTTP/1.0\r\nHost: " + host + "\r\n\r\n");
    Matcher where = LOCATION.matcher(head);
    assertThat(where.find()).as(head).isTrue();
    assertThat(where.group(1)).isEqualTo(host);
    String request = "GET " + where.group(3) + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    return send(Integer.parseInt(where.group(2)), request);
  }

  static void close(List<Integer> fds) throws IOException {
    for (int fd : fds) {
      Sock.close(fd);
    }
  }

  @Override
  public void close() {
    worker.close();
    assertThat(uncaught).as("fibers that failed").isEmpty();
    assertThat(log).as("what the operator was told").isEmpty();
  }
}
