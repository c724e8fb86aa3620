package dev.fdfiber.examples.http;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.sock.Workers;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;

/**
 * What comes from the client: bytes from {@code from} to {@code to}, and more when asked for. Bytes
 * once read stay where they are, so a request may refer to them; with nothing left to read no
 * memory is held.
 *
 * <p>Before it waits it writes what there is to write, or the client could wait for that.
 */
final class Input {
  private static final byte[] NOTHING = {};
  private static final int PIECE = 64 * 1024;

  /** How much of what comes while a stream goes out is kept; the rest is left to the kernel. */
  private static final int MOST_AHEAD = 64 * 1024;

  private final Workers.Connection connection;
  private final int fd;
  private final boolean isTls;
  private final Output output;
  private byte[] bytes = NOTHING;
  private int from;
  private int to;

  Input(Workers.Connection connection, boolean isTls, Output output) {
    this.connection = connection;
    this.fd = connection.fd();
    this.isTls = isTls;
    this.output = output;
  }

  byte[] bytes() {
    return bytes;
  }

  int from() {
    return from;
  }

  int to() {
    return to;
  }

  boolean isEmpty() {
    return from == to;
  }

  /** What comes before {@code position} is done with. */
  void consume(int position) {
    from = position;
    if (from == to) {
      bytes = NOTHING;
      from = 0;
      to = 0;
    }
  }

  /**
   * Waits until there is something to read, idle meanwhile. Under TLS not every byte that comes is
   * one to read, and some of those are decrypted already.
   *
   * @return false when the time is up, or the server stops
   */
  boolean awaitMore(Duration limit) throws IOException, InterruptedException {
    try {
      if (!isTls) {
        return connection.awaitRequest(limit);
      }
      long end = System.nanoTime() + limit.toNanos();
      while (!Sock.awaitReadable(fd, Duration.ZERO)) {
        long left = Math.max(0, end - System.nanoTime());
        if (!connection.awaitRequest(Duration.ofNanos(left))) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      throw Gone.orSame(e);
    }
  }

  /** Reads what is there without waiting for it first; false at the end of the stream. */
  boolean readNow() throws IOException {
    byte[] some = receive(PIECE);
    if (some.length == 0) {
      return false;
    }
    if (isEmpty()) {
      bytes = some;
      from = 0;
      to = some.length;
    } else {
      append(some);
    }
    return true;
  }

  /**
   * Waits for more bytes; false at the end of the stream.
   *
   * @throws Refused 408 when the time is up
   */
  boolean fill(long deadlineNanos, String what) throws IOException, InterruptedException, Refused {
    await(deadlineNanos, what);
    return readNow();
  }

  /** At most that many bytes, waited for; none at the end of the stream. */
  byte[] take(long most, long deadlineNanos, String what)
      throws IOException, InterruptedException, Refused {
    if (isEmpty()) {
      await(deadlineNanos, what);
      return receive((int) Math.min(most, PIECE));
    }
    int length = (int) Math.min(most, to - from);
    byte[] taken = length == bytes.length ? bytes : Arrays.copyOfRange(bytes, from, from + length);
    consume(from + length);
    return taken;
  }

  /**
   * Suspends for that time, or until the server stops, and keeps what the client sends meanwhile.
   *
   * @throws ClientGoneException as soon as it closes its end
   */
  void pause(Duration time) throws IOException, InterruptedException {
    long end = System.nanoTime() + time.toNanos();
    while (to - from < MOST_AHEAD) {
      if (!awaitMore(Duration.ofNanos(Math.max(0, end - System.nanoTime())))) {
        return;
      }
      if (!readNow()) {
        throw new ClientGoneException("the client closed its end");
      }
    }
    Scheduler.pause(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
  }

  /** Ends the sending direction. */
  void endOutput() throws IOException {
    try {
      Sock.shutdownWrite(fd);
    } catch (IOException e) {
      throw Gone.orSame(e);
    }
  }

  private void await(long deadlineNanos, String what) throws IOException, Refused {
    output.flush();
    long left = deadlineNanos - System.nanoTime();
    if (left <= 0 || !awaitReadable(Duration.ofNanos(left))) {
      throw new Refused(408, what + " did not come in time");
    }
  }

  private boolean awaitReadable(Duration limit) throws IOException {
    try {
      return Sock.awaitReadable(fd, limit);
    } catch (IOException e) {
      throw Gone.orSame(e);
    }
  }

  private byte[] receive(int most) throws IOException {
    try {
      return Sock.recvSome(fd, most);
    } catch (IOException e) {
      throw Gone.orSame(e);
    }
  }

  private void append(byte[] some) {
    if (to + some.length > bytes.length) {
      int length = to - from;
      byte[] larger = new byte[Math.max(2 * length, length + some.length)];
      System.arraycopy(bytes, from, larger, 0, length);
      bytes = larger;
      from = 0;
      to = length;
    }
    System.arraycopy(some, 0, bytes, to, some.length);
    to += some.length;
  }
}
