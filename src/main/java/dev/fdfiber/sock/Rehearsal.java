package dev.fdfiber.sock;

import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The life of a connection, before there is one, so that its classes are loaded, those for many
 * connections among them. Where classes are files the JVM cannot load one when no descriptor is
 * left, and never tries again: a server that was flooded before it closed for the first time would
 * not be able to, ever.
 */
final class Rehearsal {
  private Rehearsal() {}

  /** By a platform thread that drives no scheduler. What fails here is not missed. */
  static void play() {
    Kernel kernel = Kernel.system();
    try (Arena arena = Arena.ofConfined();
        Scheduler scheduler =
            Scheduler.builder()
                .name("rehearsal")
                .poller(PollerKind.EPOLL)
                .onUncaught((fiber, failure) -> {})
                .build()) {
      MemorySegment fds = arena.allocate(ValueLayout.JAVA_INT, 2);
      int type = Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK;
      if (kernel.socketpair(Linux.AF_UNIX, type, 0, fds) < 0) {
        return;
      }
      int server = fds.getAtIndex(ValueLayout.JAVA_INT, 0);
      int client = fds.getAtIndex(ValueLayout.JAVA_INT, 1);
      scheduler.spawn("server", () -> serve(server));
      scheduler.spawn("client", () -> ask(client));
      scheduler.run();
    }
  }

  private static void serve(int fd) throws IOException {
    try {
      while (Sock.recvSome(fd, 0).length > 0) {
        Sock.writeStr(fd, "answer");
      }
    } finally {
      Sock.close(fd);
    }
  }

  private static void ask(int fd) throws IOException {
    try {
      Sock.writeStr(fd, "question");
      Sock.recvSome(fd, 0);
    } finally {
      Sock.close(fd);
    }
  }
}
