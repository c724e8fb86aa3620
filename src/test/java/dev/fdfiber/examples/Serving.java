package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A worker in this process, on a free port and a platform thread of its own. */
final class Serving implements AutoCloseable {
  static final Options ANY_PORT = Options.defaults().onPort(0);

  final Worker worker;
  final Queue<String> log = new ConcurrentLinkedQueue<>();
  private final Thread driver;

  Serving(Options options, Scheduler scheduler) throws IOException {
    worker = Worker.open(options, scheduler, log::add);
    driver = new Thread(this::drive, "worker");
  }

  static Serving start() throws IOException {
    return start(ANY_PORT);
  }

  static Serving start(Options options) throws IOException {
    Serving serving = new Serving(options, Scheduler.create());
    serving.go();
    return serving;
  }

  void go() {
    driver.start();
  }

  private void drive() {
    try (worker) {
      worker.run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
    assertThat(get("/fibers").lines().filter(line -> line.contains("WAITING_IO")).count())
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
    return send(method + " " + target + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
  }

  String get(String target) throws IOException {
    return request("GET", target);
  }

  static void close(List<Integer> fds) throws IOException {
    for (int fd : fds) {
      Sock.close(fd);
    }
  }

  @Override
  public void close() throws InterruptedException {
    worker.stop();
    assertThat(driver.join(Duration.ofSeconds(10))).as("the worker ended").isTrue();
  }
}
