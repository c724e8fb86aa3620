package dev.fdfiber.examples.http;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.sock.Workers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Where a streamed body is written. A write suspends while the client reads too slowly to take
 * more, so a stream is never ahead of its reader by more than the buffers of the kernel.
 *
 * <p>When the client is gone a write throws {@link ClientGoneException}, and so does {@link
 * #pause}, which sees it at once.
 */
public final class Out {
  private static final int PIECE = 1 << 20;

  private final Workers.Connection connection;
  private final int fd;
  private final Input in;
  private final boolean isChunked;
  private int unbroken; // bytes written since others had their turn

  Out(Workers.Connection connection, Input in, boolean isChunked) {
    this.connection = connection;
    this.fd = connection.fd();
    this.in = in;
    this.isChunked = isChunked;
  }

  /** Writes a text as UTF-8; see {@link #write(byte[])}. */
  public void write(String text) throws IOException, InterruptedException {
    write(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Writes bytes, all of them; suspends where there is no room. */
  public void write(byte[] data) throws IOException, InterruptedException {
    try {
      if (isChunked) {
        Sock.writeChunk(fd, data);
      } else {
        Sock.writeBytes(fd, data, data.length);
      }
    } catch (IOException e) {
      throw Gone.orSame(e);
    }
    unbroken += data.length;
    if (unbroken >= PIECE) {
      unbroken = 0;
      Scheduler.pause(Duration.ZERO);
    }
  }

  /**
   * Suspends for that time.
   *
   * @return false, at once, when the server stops: the body should come to its end
   * @throws ClientGoneException as soon as the client closes its end
   */
  public boolean pause(Duration time) throws IOException, InterruptedException {
    in.pause(time);
    return !connection.isStopping();
  }

  void end() throws IOException {
    if (isChunked) {
      try {
        Sock.writeChunkEnd(fd);
      } catch (IOException e) {
        throw Gone.orSame(e);
      }
    }
  }
}
