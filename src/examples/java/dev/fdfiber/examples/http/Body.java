package dev.fdfiber.examples.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * The body of a request, read piece by piece as the handler asks for it: what it does not ask for
 * stays with the client. Not for two fibers at once.
 */
public final class Body {
  private static final byte[] NOTHING = {};
  private static final byte[] CONTINUE =
      "HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final String WHAT = "the body of the request";

  private final Input in;
  private final Output output;
  private final Limits limits;
  private final Chunks chunks;
  private final boolean isChunked;
  private boolean isExpected; // the client waits for a 100 before it sends
  private long left; // of the body, or of the chunk
  private long received;
  private long startNanos;
  private boolean begun;
  private boolean ended;
  private boolean broken;

  Body(Input in, Output output, Limits limits, boolean isChunked, long length, boolean isExpected) {
    this.in = in;
    this.output = output;
    this.limits = limits;
    this.isChunked = isChunked;
    this.left = length;
    this.isExpected = isExpected;
    this.ended = !isChunked && length == 0;
    this.chunks = new Chunks(in, limits);
  }

  /**
   * The next bytes; suspends until there are some.
   *
   * @return none at the end
   * @throws Refused 400 if the body is malformed, 408 if it comes too slowly, 413 if it is too
   *     long; to be passed on
   */
  public byte[] next() throws IOException, InterruptedException, Refused {
    if (broken) {
      throw new Refused(400, "the body of the request could not be read");
    }
    if (ended) {
      return NOTHING;
    }
    broken = true; // unless this ends well
    begin();
    byte[] some = isChunked ? nextOfChunks() : nextOfLength();
    received += some.length;
    broken = false;
    return some;
  }

  /**
   * The rest of it at once.
   *
   * @throws Refused 413 if that is more than {@code most} bytes; else as {@link #next}
   */
  public byte[] all(int most) throws IOException, InterruptedException, Refused {
    if (!isChunked && left > most) {
      throw tooLong(most);
    }
    byte[] first = next();
    if (ended) {
      return first;
    }
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] some = first; some.length > 0; some = next()) {
      if (all.size() + some.length > most) {
        throw tooLong(most);
      }
      all.writeBytes(some);
    }
    return all.toByteArray();
  }

  /** The rest of it as UTF-8; as {@link #all}. */
  public String text(int most) throws IOException, InterruptedException, Refused {
    return new String(all(most), StandardCharsets.UTF_8);
  }

  // ---- for the connection

  /** If all of it was read. */
  boolean isEnded() {
    return ended;
  }

  /** If at most that many bytes are left to read, as far as one can tell. */
  boolean isShort(int most) {
    return ended || (!broken && !isExpected && left <= most);
  }

  /** Reads what is left, at most that much; false if that did not reach the end. */
  boolean drain(int most) throws IOException, InterruptedException {
    try {
      for (long drained = 0; !ended && drained <= most && isShort(most); ) {
        drained += next().length;
      }
    } catch (Refused e) {
      return false; // it was answered already
    }
    return ended;
  }

  static Refused tooLong(long most) {
    return new Refused(413, "the body of the request is longer than " + most + " bytes");
  }

  // ---- reading

  private void begin() throws IOException {
    if (!begun) {
      begun = true;
      startNanos = System.nanoTime();
      if (isExpected && in.isEmpty()) {
        output.add(CONTINUE);
      }
      isExpected = false;
    }
  }

  private long deadline() {
    return startNanos
        + limits.body().toNanos()
        + (long) ((double) received / limits.bodyRate() * 1e9);
  }

  private byte[] nextOfLength() throws IOException, InterruptedException, Refused {
    byte[] some = in.take(left, deadline(), WHAT);
    if (some.length == 0) {
      throw endsEarly();
    }
    left -= some.length;
    ended = left == 0;
    return some;
  }

  private byte[] nextOfChunks() throws IOException, InterruptedException, Refused {
    if (left == 0) {
      left = chunks.next(received, deadline());
      if (left == 0) {
        ended = true;
        return NOTHING;
      }
    }
    byte[] some = in.take(left, deadline(), WHAT);
    if (some.length == 0) {
      throw endsEarly();
    }
    left -= some.length;
    if (left == 0) {
      chunks.endOfData(deadline());
    }
    return some;
  }

  static Refused endsEarly() {
    return new Refused(400, WHAT + " ends early");
  }
}
