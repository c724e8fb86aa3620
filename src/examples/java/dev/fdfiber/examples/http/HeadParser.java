package dev.fdfiber.examples.http;

import java.nio.charset.StandardCharsets;

/**
 * What the bytes of a whole head mean: RFC 9112 sections 3, 5 and 6. {@link HeadReader} has seen to
 * it that every line ends in CR LF and that no other control character but the tab is in it.
 *
 * <p>Whatever leaves in doubt where the body ends is refused, and with it the connection: both a
 * length and a coding, several lengths, a coding that is not chunked alone.
 */
final class HeadParser {
  private static final int LENGTH_DIGITS = 18;

  private final byte[] bytes;
  private final int end;
  private final Limits limits;
  private final Fields fields;
  private int at;

  private String method = "";
  private String target = "";
  private int minor;
  private int hosts;
  private long length = -1;
  private boolean isChunked;
  private boolean closes;
  private boolean keeps;
  private boolean expects;

  private HeadParser(byte[] bytes, int start, int end, Limits limits) {
    this.bytes = bytes;
    this.at = start;
    this.end = end - 2; // of the last line; the empty one is behind it
    this.limits = limits;
    this.fields = new Fields(bytes);
  }

  /** The request whose head is from {@code start} to {@code end}; its body is still to be read. */
  static Request parse(byte[] bytes, int start, int end, Limits limits, Input in, Output output)
      throws Refused {
    HeadParser head = new HeadParser(bytes, start, end, limits);
    head.line();
    while (head.at < head.end) {
      head.field();
    }
    head.check();
    Body body =
        new Body(in, output, limits, head.isChunked, Math.max(0, head.length), head.expects);
    boolean keepAlive = head.minor > 0 ? !head.closes : head.keeps && !head.closes;
    return new Request(head.method, head.target, head.minor, head.fields, body, keepAlive);
  }

  // ---- the first line

  private void line() throws Refused {
    int from = at;
    int to = lineEnd();
    if (to - from > limits.targetBytes()) {
      throw new Refused(414, "the first line is longer than " + limits.targetBytes() + " bytes");
    }
    int space = find(' ', from, to);
    int second = find(' ', space + 1, to);
    if (space == from || second >= to || second == space + 1) {
      throw notALine();
    }
    for (int i = from; i < space; i++) {
      if (!Ascii.isToken(bytes[i])) {
        throw notALine();
      }
    }
    method = Ascii.equalsIgnoreCase(bytes, from, space, "GET") ? get(from) : text(from, space);
    version(second + 1, to);
    target(space + 1, second);
    at = to + 2;
  }

  private String get(int from) {
    return bytes[from] == 'G' && bytes[from + 1] == 'E' && bytes[from + 2] == 'T'
        ? "GET"
        : text(from, from + 3); // methods are in upper case
  }

  private void version(int from, int to) throws Refused {
    boolean isHttp =
        to - from == 8
            && bytes[from] == 'H'
            && bytes[from + 1] == 'T'
            && bytes[from + 2] == 'T'
            && bytes[from + 3] == 'P'
            && bytes[from + 4] == '/'
            && isDigit(bytes[from + 5])
            && bytes[from + 6] == '.'
            && isDigit(bytes[from + 7]);
    if (!isHttp) {
      throw notALine();
    }
    if (bytes[from + 5] != '1') {
      throw new Refused(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
    minor = bytes[from + 7] - '0';
  }

  /** The path and the query of a target in origin or absolute form, RFC 9112 section 3.2. */
  private void target(int from, int to) throws Refused {
    for (int i = from; i < to; i++) {
      if (bytes[i] <= ' ' || bytes[i] == '#') { // negative: not ASCII
        throw new Refused(400, "the target has a character that has to be percent-encoded");
      }
    }
    if (bytes[from] == '/') {
      target = text(from, to);
      return;
    }
    String whole = text(from, to);
    if (whole.equals("*") && method.equals("OPTIONS")) {
      target = whole;
      return;
    }
    int scheme = whole.indexOf("://");
    boolean isAbsolute =
        scheme > 0
            && (whole.regionMatches(true, 0, "http:", 0, 5)
                || whole.regionMatches(true, 0, "https:", 0, 6));
    if (!isAbsolute) {
      throw new Refused(400, "the target does not begin with / or http://");
    }
    int host = from + scheme + 3;
    int path = host;
    while (path < to && bytes[path] != '/' && bytes[path] != '?') {
      path++;
    }
    host(host, path, false);
    String rest = text(path, to);
    target = rest.startsWith("/") ? rest : "/" + rest;
  }

  // ---- fields

  private void field() throws Refused {
    int from = at;
    int to = lineEnd();
    at = to + 2;
    int colon = from;
    while (colon < to && Ascii.isToken(bytes[colon])) {
      colon++;
    }
    if (colon == from || colon == to || bytes[colon] != ':') {
      throw new Refused(400, "line " + (fields.count() + 2) + " of the head is not name: value");
    }
    if (fields.count() == limits.fields()) {
      throw new Refused(431, "the head has more than " + limits.fields() + " fields");
    }
    int valueFrom = colon + 1;
    int valueTo = to;
    while (valueFrom < valueTo && Ascii.isBlank(bytes[valueFrom])) {
      valueFrom++;
    }
    while (valueTo > valueFrom && Ascii.isBlank(bytes[valueTo - 1])) {
      valueTo--;
    }
    fields.add(from, colon, valueFrom, valueTo);
    understand(fields.count() - 1, colon - from, valueFrom, valueTo);
  }

  /** Takes note of the fields that frame the message; most others differ in length already. */
  private void understand(int line, int nameLength, int from, int to) throws Refused {
    switch (nameLength) {
      case 4 -> {
        if (fields.is(line, "Host")) {
          hosts++;
          host(from, to, true);
        }
      }
      case 6 -> {
        if (fields.is(line, "Expect")) {
          if (!Ascii.equalsIgnoreCase(bytes, from, to, "100-continue")) {
            throw new Refused(417, "nothing can be expected but 100-continue");
          }
          expects = true;
        }
      }
      case 10 -> {
        if (fields.is(line, "Connection")) {
          closes |= fields.has("Connection", "close");
          keeps |= fields.has("Connection", "keep-alive");
        }
      }
      case 14 -> {
        if (fields.is(line, "Content-Length")) {
          length(from, to);
        }
      }
      case 17 -> {
        if (fields.is(line, "Transfer-Encoding")) {
          coding(from, to);
        }
      }
      default -> {}
    }
  }

  private void host(int from, int to, boolean mayBeEmpty) throws Refused {
    boolean isRight = mayBeEmpty || from < to;
    for (int i = from; i < to; i++) {
      isRight &= Ascii.isHost(bytes[i]);
    }
    if (!isRight) {
      throw new Refused(400, "the host is not one");
    }
  }

  private void length(int from, int to) throws Refused {
    if (length >= 0) {
      throw new Refused(400, "there is more than one Content-Length");
    }
    boolean isNumber = from < to;
    for (int i = from; i < to; i++) {
      isNumber &= isDigit(bytes[i]);
    }
    if (!isNumber) {
      throw new Refused(400, "Content-Length is not a number");
    }
    length = to - from > LENGTH_DIGITS ? Long.MAX_VALUE : Long.parseLong(text(from, to));
  }

  private void coding(int from, int to) throws Refused {
    if (isChunked) {
      throw new Refused(400, "there is more than one Transfer-Encoding");
    }
    if (!Ascii.equalsIgnoreCase(bytes, from, to, "chunked")) {
      throw new Refused(501, "no Transfer-Encoding is understood but chunked");
    }
    isChunked = true;
  }

  // ---- all of it

  private void check() throws Refused {
    if (isChunked && length >= 0) {
      throw new Refused(400, "there are both Content-Length and Transfer-Encoding");
    }
    if (isChunked && minor == 0) {
      throw new Refused(400, "HTTP/1.0 has no Transfer-Encoding");
    }
    if (hosts > 1 || (hosts == 0 && minor > 0)) {
      throw new Refused(400, "the request needs one Host field");
    }
    if (length > limits.bodyBytes()) {
      throw Body.tooLong(limits.bodyBytes());
    }
    expects &= minor > 0 && (isChunked || length > 0);
  }

  private int lineEnd() {
    int i = at;
    while (bytes[i] != '\r') {
      i++;
    }
    return i;
  }

  private int find(char c, int from, int to) {
    int i = from;
    while (i < to && bytes[i] != c) {
      i++;
    }
    return i;
  }

  private static boolean isDigit(byte b) {
    return b >= '0' && b <= '9';
  }

  private static Refused notALine() {
    return new Refused(400, "the first line is not METHOD /path HTTP/1.1");
  }

  private String text(int from, int to) {
    return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
  }
}
