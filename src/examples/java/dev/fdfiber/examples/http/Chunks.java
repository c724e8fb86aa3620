package dev.fdfiber.examples.http;

import java.io.IOException;

/**
 * The lines between the bytes of a chunked body, RFC 9112 section 7.1: sizes, their extensions,
 * which are skipped, and the trailer, which is checked and dropped. A body may not cost more than
 * it brings: extensions are limited, line by line and all together.
 */
final class Chunks {
  private static final int SIZE_DIGITS = 15;
  private static final int LINE_BYTES = 1024;
  private static final int EXTENSION_BYTES = 16 * 1024;
  private static final int TRAILER_BYTES = 8 * 1024;

  private final Input in;
  private final Limits limits;
  private int extensionBytes;

  Chunks(Input in, Limits limits) {
    this.in = in;
    this.limits = limits;
  }

  /**
   * Reads the line before a chunk; at the last one the trailer too.
   *
   * @param before how long the chunks before it were
   * @return the length of its data; 0 at the end of the body
   */
  long next(long before, long deadline) throws IOException, InterruptedException, Refused {
    int end = awaitLine(LINE_BYTES, 400, deadline);
    long size = size(in.bytes(), in.from(), end);
    in.consume(end + 2);
    if (size > limits.bodyBytes() - before) {
      throw Body.tooLong(limits.bodyBytes());
    }
    if (size == 0) {
      skipTrailer(deadline);
    }
    return size;
  }

  /** Reads the end of the line behind the data of a chunk. */
  void endOfData(long deadline) throws IOException, InterruptedException, Refused {
    in.consume(awaitLine(0, 400, deadline) + 2);
  }

  private long size(byte[] bytes, int from, int to) throws Refused {
    long size = 0;
    int at = from;
    for (; at < to && Ascii.hex(bytes[at]) >= 0; at++) {
      size = 16 * size + Ascii.hex(bytes[at]);
      if (at - from >= SIZE_DIGITS) {
        throw malformed("the size of a chunk has more than " + SIZE_DIGITS + " digits");
      }
    }
    int digits = at - from;
    int extension = to - at;
    while (at < to && Ascii.isBlank(bytes[at])) {
      at++;
    }
    if (digits == 0 || (extension > 0 && (at == to || bytes[at] != ';'))) {
      throw malformed("the size of a chunk is not a number");
    }
    extensionBytes += extension;
    if (extensionBytes > EXTENSION_BYTES) {
      throw malformed("the extensions of its chunks are too long");
    }
    return size;
  }

  private void skipTrailer(long deadline) throws IOException, InterruptedException, Refused {
    int bytes = 0;
    for (int fields = 0; true; fields++) {
      int end = awaitLine(TRAILER_BYTES - bytes, 431, deadline);
      int length = end - in.from();
      if (length > 0) {
        requireField(in.bytes(), in.from(), end);
      }
      in.consume(end + 2);
      if (length == 0) {
        return;
      }
      bytes += length;
      if (fields == limits.fields()) {
        throw new Refused(431, "the trailer has more than " + limits.fields() + " fields");
      }
    }
  }

  private static void requireField(byte[] bytes, int from, int to) throws Refused {
    int at = from;
    while (at < to && Ascii.isToken(bytes[at])) {
      at++;
    }
    if (at == from || at == to || bytes[at] != ':') {
      throw malformed("a line of its trailer is not name: value");
    }
  }

  /**
   * Waits for a line; where its CR LF is.
   *
   * @param most how long it may be
   * @param status of the answer if it is longer
   */
  private int awaitLine(int most, int status, long deadline)
      throws IOException, InterruptedException, Refused {
    for (int seen = 0; true; ) {
      byte[] bytes = in.bytes();
      int start = in.from();
      for (int i = start + seen; i < in.to(); i++) {
        byte b = bytes[i];
        boolean afterReturn = i > start && bytes[i - 1] == '\r';
        if (b == '\n' ? !afterReturn : afterReturn || (b != '\r' && !Ascii.isText(b))) {
          throw malformed("a line of it does not end in CR LF, or has a control character");
        }
        if (b == '\n') {
          return i - 1;
        }
        if (i - start > most) {
          throw most == 0
              ? malformed("a chunk is longer than it says")
              : new Refused(status, "a line in the body of the request is too long");
        }
      }
      seen = in.to() - start;
      if (!in.fill(deadline, "the body of the request")) {
        throw Body.endsEarly();
      }
    }
  }

  private static Refused malformed(String why) {
    return new Refused(400, "the body of the request is malformed: " + why);
  }
}
