package dev.fdfiber.examples.http;

import dev.fdfiber.sock.Sock;
import java.nio.charset.StandardCharsets;

/** The Date field, made once a second. Any thread: what is cached never changes. */
final class Dates {
  private static final class Line {
    final long second;
    final byte[] bytes;

    Line(long second) {
      this.second = second;
      this.bytes = ("Date: " + Sock.httpDate(second) + "\r\n").getBytes(StandardCharsets.US_ASCII);
    }
  }

  private Line last = new Line(System.currentTimeMillis() / 1000);

  /** The line for now, its end included. */
  byte[] now() {
    long second = System.currentTimeMillis() / 1000;
    Line line = last;
    if (line.second != second) {
      line = new Line(second);
      last = line;
    }
    return line.bytes;
  }
}
