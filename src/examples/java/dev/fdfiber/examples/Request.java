package dev.fdfiber.examples;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The head of an HTTP request, as far as this worker needs it.
 *
 * <p>It shows a read with a deadline: {@link Scheduler#ioWait} parks the fiber until there are
 * bytes or the time is up, and the read that follows takes what is there.
 */
final class Request {
  /** The longest head that is read. */
  static final int MAX_HEAD = 16 * 1024;

  private static final Pattern LINE =
      Pattern.compile(
          "([!#$%&'*+.^_`|~0-9A-Za-z-]+) (?:https?://[^/? ]+)?([/*][!-~]*) HTTP/1\\.([01])");
  private static final Pattern FIELD =
      Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\\t -~\\x80-\\xFF]*");
  private static final byte[] END = {'\r', '\n', '\r', '\n'};

  final String method;
  final String path;
  private final String query;

  private Request(String method, String target) {
    int mark = target.indexOf('?');
    this.method = method;
    this.path = mark < 0 ? target : target.substring(0, mark);
    this.query = mark < 0 ? "" : target.substring(mark + 1);
  }

  /** A request that cannot be served, and the answer that says why. */
  static final class Refused extends Exception {
    private static final long serialVersionUID = 1L;
    final int status;

    Refused(int status, String why) {
      super(why);
      this.status = status;
    }
  }

  /**
   * Reads a head from a connection; suspends until it is there.
   *
   * @return empty if the client left, or stayed silent for too long, before it sent anything
   * @throws Refused 408 if the head does not come in time, 431 if it is too long, else 400
   */
  static Optional<Request> read(int fd, Options options)
      throws IOException, InterruptedException, Refused {
    if (Scheduler.ioWait(fd, Scheduler.READ, options.idleSeconds()) == 0) {
      return Optional.empty();
    }
    long start = System.nanoTime();
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    while (true) {
      byte[] some = Sock.recvSome(fd, MAX_HEAD + 1 - head.size());
      if (some.length == 0 && head.size() == 0) {
        return Optional.empty();
      }
      if (some.length == 0) {
        throw new Refused(400, "the request ends in the middle of its head");
      }
      int seen = head.size();
      head.writeBytes(some);
      int end = endOfHead(head.toByteArray(), seen);
      if (end >= 0) {
        return Optional.of(parse(head.toString(StandardCharsets.ISO_8859_1).substring(0, end)));
      }
      if (head.size() > MAX_HEAD) {
        throw new Refused(431, "the head of the request is longer than " + MAX_HEAD + " bytes");
      }
      double left = options.headSeconds() - (System.nanoTime() - start) / 1e9;
      if (left <= 0 || Scheduler.ioWait(fd, Scheduler.READ, left) == 0) {
        throw new Refused(408, "the head of the request did not come in time");
      }
    }
  }

  /** Where the empty line begins, or -1; the bytes before {@code seen} were searched before. */
  private static int endOfHead(byte[] bytes, int seen) {
    for (int i = Math.max(0, seen - 3); i <= Math.min(bytes.length, MAX_HEAD) - END.length; i++) {
      if (Arrays.equals(bytes, i, i + END.length, END, 0, END.length)) {
        return i;
      }
    }
    return -1;
  }

  private static Request parse(String head) throws Refused {
    String[] lines = head.split("\r\n", -1);
    Matcher line = LINE.matcher(lines[0]);
    if (!line.matches()) {
      throw new Refused(400, "the first line is not METHOD /path HTTP/1.1");
    }
    int hosts = 0;
    for (int i = 1; i < lines.length; i++) {
      if (!FIELD.matcher(lines[i]).matches()) {
        throw new Refused(400, "line " + (i + 1) + " of the head is not name: value");
      }
      hosts += lines[i].regionMatches(true, 0, "Host:", 0, 5) ? 1 : 0;
    }
    if (hosts > 1 || (hosts == 0 && line.group(3).equals("1"))) {
      throw new Refused(400, "the request needs one Host field");
    }
    return new Request(line.group(1), line.group(2));
  }

  boolean isHead() {
    return method.equals("HEAD");
  }

  /**
   * A number in the query, such as {@code ms} in {@code /upstream?ms=500}.
   *
   * @throws Refused 400 if it is no number between the bounds
   */
  double number(String name, double whenAbsent, double lowest, double highest) throws Refused {
    for (String pair : query.split("&", -1)) {
      if (pair.startsWith(name + "=")) {
        return bounded(name, pair.substring(name.length() + 1), lowest, highest);
      }
    }
    return whenAbsent;
  }

  private static double bounded(String name, String text, double lowest, double highest)
      throws Refused {
    try {
      double number = Double.parseDouble(text);
      if (number >= lowest && number <= highest) {
        return number;
      }
    } catch (NumberFormatException e) {
      // is said below
    }
    throw new Refused(400, "%s is a number from %s to %s".formatted(name, lowest, highest));
  }
}
