package dev.fdfiber.sock;

import dev.fdfiber.Clock;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.NativeBuffers;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Where the parts of an HTTP/1.1 message begin and end on a stream. */
final class Framing {
  /** The largest head, its empty line included. */
  static final int MAX_HEAD = 64 * 1024;

  private static final byte[] CRLF = {'\r', '\n'};
  private static final byte[] LAST_CHUNK = {'0', '\r', '\n', '\r', '\n'};
  private static final int END_LENGTH = 4; // of CR LF CR LF

  private Framing() {}

  /** Reads until there is a whole head; returns it with all that came with it. */
  static byte[] readRequest(Kernel kernel, int fd) throws IOException {
    Duration limit = Io.recvTimeout(kernel, fd);
    Clock clock = limit.isNegative() ? Clock.system() : clock();
    long start = limit.isNegative() ? 0 : clock.nanoTime();
    byte[] all = Io.read(kernel, fd, NativeBuffers.SIZE, limit, 0);
    if (all.length == 0 || headLength(all, all.length, 0) > 0) {
      return all; // as nearly always
    }
    Head head = new Head(all);
    while (head.isOpen()) {
      Duration left = limit;
      if (!limit.isNegative()) {
        left = Duration.ofNanos(Math.max(0, limit.toNanos() - (clock.nanoTime() - start)));
      }
      byte[] some = Io.read(kernel, fd, NativeBuffers.SIZE, left, head.size());
      if (some.length == 0) {
        throw new EOFException(
            "read on fd " + fd + ": the stream ends " + head.size() + " bytes into a head");
      }
      head.add(some);
    }
    return head.toByteArray();
  }

  private static Clock clock() {
    return Scheduler.inFiber() ? Scheduler.current().clock() : Clock.system();
  }

  /**
   * How long the head is that the bytes start with; 0 if its end is not among them.
   *
   * @param from no end is before this
   */
  private static int headLength(byte[] bytes, int length, int from) {
    for (int i = Math.max(from, END_LENGTH) - 1; i < length; i++) {
      boolean ends =
          bytes[i] == '\n' && bytes[i - 1] == '\r' && bytes[i - 2] == '\n' && bytes[i - 3] == '\r';
      if (ends) {
        return i + 1;
      }
    }
    return 0;
  }

  /** A head that comes in pieces; each byte is looked at once. */
  private static final class Head extends ByteArrayOutputStream {
    private boolean isOpen = true;

    Head(byte[] first) throws RequestTooLargeException {
      super(2 * first.length);
      add(first);
    }

    boolean isOpen() {
      return isOpen;
    }

    void add(byte[] some) throws RequestTooLargeException {
      int seen = size();
      writeBytes(some);
      int length = headLength(buf, count, seen + 1);
      isOpen = length == 0;
      if ((isOpen ? count : length) > (isOpen ? MAX_HEAD - 1 : MAX_HEAD)) {
        throw new RequestTooLargeException();
      }
    }
  }

  /** Writes a chunk; none for no bytes, which would end the body. */
  static void writeChunk(Kernel kernel, int fd, byte[] data) throws IOException {
    if (data.length > 0) {
      byte[] size = (Integer.toHexString(data.length) + "\r\n").getBytes(StandardCharsets.US_ASCII);
      Io.write(kernel, fd, size, data, CRLF);
    }
  }

  /** Ends a chunked body, without trailers. */
  static void writeChunkEnd(Kernel kernel, int fd) throws IOException {
    Io.write(kernel, fd, LAST_CHUNK);
  }
}
