package dev.fdfiber.fd;

import dev.fdfiber.FdChannel;
import dev.fdfiber.FiberBody;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;

/**
 * An object of one of the types, with nothing to tell until it is let.
 *
 * @param object what is tried; null for one that cannot be closed
 * @param fd its descriptor; -1 if it has none of its own
 * @param waiting waits for it
 * @param arrive lets something come; from any thread
 * @param channel the channel that it hands out; null for none
 * @param others what is closed after it
 */
record Subject(
    Closeable object,
    int fd,
    Wait waiting,
    FiberBody arrive,
    FdChannel channel,
    List<Closeable> others)
    implements Closeable {
  static final Duration NEVER = Duration.ofSeconds(-1);

  /** A wait with a limit: false when the time is up. */
  interface Wait {
    boolean within(Duration time) throws Exception;
  }

  /** One whose channel is read. */
  static Subject ofChannel(
      Closeable object, FdChannel channel, FiberBody arrive, Closeable... others) {
    Wait reads = time -> channel.read(ByteBuffer.allocate(2000), time) > 0;
    return new Subject(object, channel.fd(), reads, arrive, channel, List.of(others));
  }

  /** One without a channel. */
  static Subject of(Closeable object, int fd, Wait waiting, FiberBody arrive, Closeable... others) {
    return new Subject(object, fd, waiting, arrive, null, List.of(others));
  }

  boolean await(Duration time) throws Exception {
    return waiting.within(time);
  }

  void await() throws Exception {
    waiting.within(NEVER);
  }

  @Override
  public void close() throws IOException {
    if (object != null) {
      object.close();
    }
    for (Closeable other : others) {
      other.close();
    }
  }
}
