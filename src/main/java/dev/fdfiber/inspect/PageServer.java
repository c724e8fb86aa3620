package dev.fdfiber.inspect;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * Serves a {@link LivePage} over HTTP/1.1, a connection for each request: by fibers of a scheduler
 * of its own, on a daemon thread, so that it needs nothing of the one that it shows.
 */
final class PageServer implements AutoCloseable {
  private static final int BACKLOG = 64;
  private static final int MOST_CONNECTIONS = 100;
  private static final long REQUEST_MILLIS = 10_000;
  private static final Duration BACK_OFF = Duration.ofMillis(100);

  private final LivePage page;
  private final boolean isTls;
  private final Scheduler scheduler;
  private final Thread thread;
  private final int listener;
  private final int port;
  private int connections; // of the scheduler's fibers

  PageServer(LivePage page, boolean isTls, String host, int port) throws IOException {
    this.page = page;
    this.isTls = isTls;
    this.listener = Sock.listen(host, port, false, BACKLOG);
    this.port = Sock.localPort(listener);
    this.scheduler =
        Scheduler.builder()
            .name("inspector")
            .onUncaught((fiber, t) -> {}) // a client that is gone in the middle
            .build();
    scheduler.spawn("inspector accept", this::accept);
    this.thread = Thread.ofPlatform().daemon().name("fdfiber-inspector").start(this::run);
  }

  int port() {
    return port;
  }

  /** By the thread: it also closes, since who closes in its place may come before it drives. */
  private void run() {
    try (scheduler) {
      scheduler.run();
    }
  }

  @Override
  public void close() {
    scheduler.stop();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void accept() throws InterruptedException, IOException {
    try {
      while (true) {
        try {
          int fd = Sock.accept(listener);
          if (connections < MOST_CONNECTIONS) {
            connections++;
            scheduler.spawn("inspector fd " + fd, () -> serve(fd));
          } else {
            Sock.close(fd);
          }
        } catch (ErrnoException e) {
          Scheduler.pause(BACK_OFF); // no descriptor is left
        }
      }
    } finally {
      Sock.close(listener);
    }
  }

  private void serve(int fd) throws IOException, InterruptedException {
    try {
      Sock.setRecvTimeout(fd, REQUEST_MILLIS);
      if (isTls) {
        Sock.acceptTls(fd);
      }
      answer(fd, new String(Sock.readRequest(fd), StandardCharsets.ISO_8859_1));
    } finally {
      connections--;
      Sock.close(fd);
    }
  }

  private void answer(int fd, String request) throws IOException, InterruptedException {
    String[] lines = request.split("\r\n", -1);
    String[] words = lines[0].split(" ", -1);
    boolean get = words[0].equals("GET");
    if (words.length != 3 || !words[2].startsWith("HTTP/1.") || !(get || words[0].equals("HEAD"))) {
      Sock.writeStr(fd, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
      return;
    }
    int mark = words[1].indexOf('?');
    String path = mark < 0 ? words[1] : words[1].substring(0, mark);
    String query = mark < 0 ? "" : words[1].substring(mark + 1);
    LivePage.Answer answer = page.answer(path, query, header(lines, "host"));
    byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
    StringBuilder head = new StringBuilder("HTTP/1.1 " + answer.status() + " -\r\n");
    answer.headers().forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
    if (answer.stream().isEmpty()) {
      head.append("Content-Length: ").append(body.length).append("\r\n");
    }
    Sock.writeStr(fd, head + "Connection: close\r\n\r\n");
    if (get) {
      Sock.writeBytes(fd, body, body.length);
      if (answer.stream().isPresent()) {
        stream(fd, answer.stream().get());
      }
    }
  }

  /** Until the client is gone, which a write tells. */
  private static void stream(int fd, LivePage.Stream stream)
      throws IOException, InterruptedException {
    while (true) {
      Sock.writeStr(fd, stream.next());
      Scheduler.pause(stream.pause());
    }
  }

  private static Optional<String> header(String[] lines, String name) {
    for (int i = 1; i < lines.length && !lines[i].isEmpty(); i++) {
      int colon = lines[i].indexOf(':');
      if (colon > 0 && lines[i].substring(0, colon).toLowerCase(Locale.ROOT).equals(name)) {
        return Optional.of(lines[i].substring(colon + 1).trim());
      }
    }
    return Optional.empty();
  }
}
