package dev.fdfiber.bench;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.Pipe;

/** Pipes of both worlds; the processes that open them end before anybody needs to close them. */
final class Pipes {
  /** How much a read has room for, where one byte comes: a reader does not know that before. */
  static final int ROOM = 64;

  private Pipes() {}

  /** A non-blocking pipe as plain descriptors. */
  record Fds(int readFd, int writeFd) {
    static Fds open() {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment fds = arena.allocate(ValueLayout.JAVA_INT, 2);
        int result = Kernel.system().pipe2(fds, Linux.O_NONBLOCK | Linux.O_CLOEXEC);
        if (result < 0) {
          throw new IllegalStateException("pipe2: errno " + -result);
        }
        return new Fds(
            fds.getAtIndex(ValueLayout.JAVA_INT, 0), fds.getAtIndex(ValueLayout.JAVA_INT, 1));
      }
    }
  }

  /** A pipe that blocks, as Java opens it. */
  static Pipe open() throws IOException {
    return Pipe.open();
  }
}
