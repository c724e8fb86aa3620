package dev.fdfiber.examples.http;

import java.io.IOException;
import java.util.Optional;

/**
 * Reads the head of a request. Strict where being lenient lets two parsers see different requests
 * (RFC 9112 sections 2.2, 5 and 11.2): lines end in CR LF and nothing else does, no control
 * characters, no folded lines, no space before a colon.
 */
final class HeadReader {
  private final Limits limits;
  private final Input in;
  private int seen; // from the start of the head on
  private boolean isFirstLine;

  HeadReader(Limits limits, Input in) {
    this.limits = limits;
    this.in = in;
  }

  /**
   * Waits until the whole head is there.
   *
   * @return where it ends, behind its empty line; empty at the end of the stream
   * @throws Refused 400, 408, 414 or 431
   */
  Optional<Request> read(Output output) throws IOException, InterruptedException, Refused {
    seen = 0;
    isFirstLine = true;
    long deadline = 0;
    boolean mayBeginEmpty = true;
    while (true) {
      if (mayBeginEmpty && in.to() - in.from() >= 2) { // RFC 9112 section 2.2, of old clients
        mayBeginEmpty = false;
        skipEmptyLine();
      }
      int end = mayBeginEmpty ? -1 : scan(in.bytes(), in.from(), in.to());
      if (end >= 0) {
        int start = in.from();
        byte[] bytes = in.bytes();
        in.consume(end);
        return Optional.of(HeadParser.parse(bytes, start, end, limits, in, output));
      }
      if (deadline == 0) {
        deadline = System.nanoTime() + limits.head().toNanos();
      }
      if (!in.fill(deadline, "the head of the request")) {
        if (in.isEmpty()) {
          return Optional.empty();
        }
        throw new Refused(400, "the request ends in the middle of its head");
      }
    }
  }

  private void skipEmptyLine() {
    if (in.bytes()[in.from()] == '\r' && in.bytes()[in.from() + 1] == '\n') {
      in.consume(in.from() + 2);
    }
  }

  /** Where the head ends, or -1. Each byte is looked at once. */
  private int scan(byte[] bytes, int start, int to) throws Refused {
    int end = Math.min(to, start + limits.headBytes());
    for (int i = start + seen; i < end; i++) {
      byte b = bytes[i];
      boolean afterReturn = i > start && bytes[i - 1] == '\r';
      if (b == '\n' ? !afterReturn : afterReturn) {
        throw new Refused(400, "a line of the head does not end in CR LF");
      }
      if (b == '\n') {
        isFirstLine = false;
        if (i - 1 == start || bytes[i - 2] == '\n') {
          return i + 1;
        }
      } else if (b != '\r' && !Ascii.isText(b)) {
        throw new Refused(400, "a control character is in the head");
      }
    }
    seen = Math.max(seen, end - start);
    if (isFirstLine && seen > limits.targetBytes()) {
      throw new Refused(414, "the first line is longer than " + limits.targetBytes() + " bytes");
    }
    if (seen >= limits.headBytes()) {
      throw new Refused(
          431, "the head of the request is longer than " + limits.headBytes() + " bytes");
    }
    return -1;
  }
}
