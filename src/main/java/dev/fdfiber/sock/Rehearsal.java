package dev.fdfiber.sock;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The life of a connection, before there is one, so that its classes are loaded. Where classes are
 * files the JVM cannot load one when no descriptor is left, and never tries again: a server that
 * was flooded first and then had to close for the first time would not be able to, ever.
 */
final class Rehearsal {
  private Rehearsal() {}

  /** In a fiber; does not suspend for long. What fails here is not missed. */
  static void play(Kernel kernel) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment fds = arena.allocate(ValueLayout.JAVA_INT, 2);
      int type = Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK;
      if (kernel.socketpair(Linux.AF_UNIX, type, 0, fds) < 0) {
        return;
      }
      int server = fds.getAtIndex(ValueLayout.JAVA_INT, 0);
      int client = fds.getAtIndex(ValueLayout.JAVA_INT, 1);
      try {
        play(server, client);
      } catch (IOException e) {
        // a kernel that refuses will do so again, to somebody who minds
      } finally {
        Tcp.close(kernel, server);
        Tcp.close(kernel, client);
      }
    }
  }

  private static void play(int server, int client) throws IOException {
    Sock.writeStr(client, "x");
    Sock.recvSome(server, 0);
    Sock.writeStr(server, "y");
    Sock.shutdownWrite(client);
    Sock.recvSome(server, 0);
  }
}
