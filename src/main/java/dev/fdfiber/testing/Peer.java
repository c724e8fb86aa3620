package dev.fdfiber.testing;

import dev.fdfiber.FiberBody;
import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;

/**
 * The other side of what is tried: bodies for fibers that send and receive in a chosen manner, and
 * a write that ends when it was read. They leave their descriptor open.
 */
public final class Peer {
  private static final Duration STEP = Duration.ofMillis(1);

  private Peer() {}

  /**
   * Sends the pieces one by one, each when the one before was read: none gets joined to another.
   */
  public static FiberBody sending(int fd, byte[]... pieces) {
    return () -> {
      for (byte[] piece : pieces) {
        writeUntilRead(fd, piece);
      }
    };
  }

  /** Sends so many bytes at a time, with a pause after each piece. */
  public static FiberBody sendingSlowly(int fd, byte[] bytes, int piece, Duration pause) {
    return () -> {
      for (int from = 0; from < bytes.length; from += piece) {
        byte[] some = Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + piece));
        Sock.writeBytes(fd, some, some.length);
        Scheduler.pause(pause);
      }
    };
  }

  /** Reads at most so many bytes at a time to the end, with a pause before each read. */
  public static FiberBody readingSlowly(
      int fd, int piece, Duration pause, ByteArrayOutputStream into) {
    return () -> {
      for (byte[] some; ; into.writeBytes(some)) {
        Scheduler.pause(pause);
        some = Sock.recvSome(fd, piece);
        if (some.length == 0) {
          return;
        }
      }
    };
  }

  /**
   * Writes to a pipe or a unix socket, and suspends until all of it was read: a pair in lockstep,
   * which no buffer hides a mistake of. In a test's fiber it takes no time of the test's clock.
   *
   * @throws dev.fdfiber.ErrnoException {@code EPIPE} if nobody can read it any more
   */
  public static void writeUntilRead(int fd, byte[] bytes) throws IOException, InterruptedException {
    Sock.writeBytes(fd, bytes, bytes.length);
    Lockstep lockstep = Lockstep.current();
    if (lockstep != null) {
      lockstep.await(fd);
      return;
    }
    while (Fds.unread(fd) > 0) {
      Scheduler.pause(STEP);
    }
  }
}
