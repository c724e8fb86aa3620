package dev.fdfiber.examples;

import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;

/**
 * An answer: its head, and what writes its body onto the descriptor. Writing suspends where the
 * client reads slowly, so a stream is written as plainly as a page.
 */
final class Response {
  private static final String TEXT = "text/plain; charset=utf-8";
  private static final Map<Integer, String> REASONS =
      Map.ofEntries(
          Map.entry(200, "OK"),
          Map.entry(204, "No Content"),
          Map.entry(400, "Bad Request"),
          Map.entry(404, "Not Found"),
          Map.entry(405, "Method Not Allowed"),
          Map.entry(408, "Request Timeout"),
          Map.entry(431, "Request Header Fields Too Large"),
          Map.entry(500, "Internal Server Error"),
          Map.entry(502, "Bad Gateway"));

  /** Writes a body; what it throws ends the connection. */
  @FunctionalInterface
  interface Body {
    void write(int fd) throws Exception;
  }

  private final int status;
  private final String fields;
  private final Body body;

  private Response(int status, String fields, Body body) {
    this.status = status;
    this.fields = fields;
    this.body = body;
  }

  /** A body that ends when the connection does. */
  static Response stream(String type, Body body) {
    return new Response(200, field("Content-Type", type), body);
  }

  static Response of(int status, String type, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    String fields = field("Content-Type", type) + field("Content-Length", "" + bytes.length);
    return new Response(status, fields, fd -> Sock.writeBytes(fd, bytes, bytes.length));
  }

  static Response text(int status, String text) {
    return of(status, TEXT, text);
  }

  static Response noContent() {
    return new Response(204, "", fd -> {});
  }

  /** The same with one more field. */
  Response with(String name, String value) {
    return new Response(status, fields + field(name, value), body);
  }

  /** Writes it, without the body for a HEAD request; suspends where the client reads slowly. */
  void send(int fd, boolean headOnly) throws Exception {
    sendHead(fd);
    if (!headOnly) {
      body.write(fd);
    }
  }

  private void sendHead(int fd) throws IOException {
    String line = String.format(Locale.ROOT, "HTTP/1.1 %d %s\r\n", status, REASONS.get(status));
    String always = field("Cache-Control", "no-store") + field("Connection", "close");
    Sock.writeStr(fd, line + fields + always + "\r\n");
  }

  private static String field(String name, String value) {
    return name + ": " + value + "\r\n";
  }
}
