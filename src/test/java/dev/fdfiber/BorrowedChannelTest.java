package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Borrowed descriptors whose description blocks, and that others share. */
@FdTest
class BorrowedChannelTest {
  /** Pairs that block: {@code a} reads what {@code b} writes. */
  @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
  enum Blocking {
    PIPE(Fds::blockingPipe),
    SOCKET_PAIR(Fds::blockingSocketPair),
    PTY(Opened::pty),
    PTY_SLAVE(() -> {
      Fds.Pair pty = Opened.pty();
      return new Fds.Pair(pty.b(), pty.a());
    });

    private final Supplier<Fds.Pair> opener;

    Blocking(Supplier<Fds.Pair> opener) {
      this.opener = opener;
    }
  }

  @ParameterizedTest
  @EnumSource(Blocking.class)
  void borrow_touchesNoFlagAndClosesNothing(Blocking kind) throws Exception {
    try (Fds.Pair pair = kind.opener.get()) {
      int before = Fds.flags(pair.a());
      FdChannel in = FdChannel.borrow(pair.a());
      FdChannel out = FdChannel.borrow(pair.b());
      out.write(ByteBuffer.wrap(new byte[] {'x', '\n'}));
      int expected = kind == Blocking.PTY ? 3 : 2; // the slave makes it "x", then "\r\n"
      ByteBuffer line = ByteBuffer.allocate(9);
      while (line.position() < expected) {
        assertThat(in.read(line)).isPositive();
      }
      assertThat(line.position()).isEqualTo(expected);
      assertThat(in.read(ByteBuffer.allocate(1), Duration.ofNanos(1000))).isZero();
      in.close();
      out.close();
      assertThat(Fds.flags(pair.a())).isEqualTo(before);
      assertThat(Fds.isNonblocking(pair.a())).isFalse();
      assertThat(Fds.isNonblocking(pair.b())).isFalse();
      assertThat(Fds.isOpen(pair.a())).isTrue();
      assertThat(Fds.isOpen(pair.b())).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Blocking.class)
  void readFromWhatBlocks_holdsNoOtherFiber(Blocking kind, Scheduler s) {
    List<String> seen = new ArrayList<>();
    try (Fds.Pair pair = kind.opener.get()) {
      s.spawn(() -> {
        try (FdChannel in = FdChannel.borrow(pair.a())) {
          in.read(ByteBuffer.allocate(1));
          seen.add("read");
        }
      });
      s.spawn(() -> {
        Scheduler.pause(0);
        seen.add("other");
        Fds.write(pair.b(), "x\n");
      });
      s.run();
      assertThat(seen).containsExactly("other", "read");
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Blocking.class,
      names = {"PIPE", "SOCKET_PAIR"})
  void writeToWhatBlocks_holdsNoOtherFiber(Blocking kind, Scheduler s) {
    List<String> seen = new ArrayList<>();
    int size = 1 << 20;
    try (Fds.Pair pair = kind.opener.get()) {
      s.spawn(() -> {
        try (FdChannel out = FdChannel.borrow(pair.b())) {
          assertThat(out.write(ByteBuffer.allocate(size))).isEqualTo(size);
          seen.add("written");
        }
      });
      Fiber reader =
          s.spawn(() -> {
            seen.add("other");
            try (FdChannel in = FdChannel.borrow(pair.a())) {
              ByteBuffer to = ByteBuffer.allocateDirect(size);
              while (to.hasRemaining()) {
                in.read(to);
              }
            }
          });
      s.run();
      assertThat(reader.failure()).isEmpty();
      assertThat(seen).containsExactly("other", "written");
    }
  }

  @Test
  void fifo_isBorrowedLikeAPipe(@TempDir Path dir, Scheduler s) throws Exception {
    Path path = dir.resolve("fifo");
    assertThat(new ProcessBuilder("mkfifo", path.toString()).start().waitFor()).isZero();
    int both = Opened.file(path, Linux.O_RDWR); // so that neither end has to wait for the other
    int readEnd = Opened.file(path, Linux.O_RDONLY);
    int writeEnd = Opened.file(path, Linux.O_WRONLY);
    Fds.close(both);
    List<String> seen = new ArrayList<>();
    s.spawn(() -> {
      try (FdChannel in = FdChannel.borrow(readEnd)) {
        ByteBuffer to = ByteBuffer.allocate(100);
        while (in.read(to) >= 0) {
          seen.add("read " + to.position());
        }
        seen.add("end");
      }
    });
    s.spawn(() -> {
      try (FdChannel out = FdChannel.borrow(writeEnd)) {
        seen.add("wrote " + out.write(ByteBuffer.allocate(10)));
      }
      Fds.close(writeEnd);
    });
    s.run();
    assertThat(seen).containsExactly("wrote 10", "read 10", "end");
    assertThat(Fds.isNonblocking(readEnd)).isFalse();
    Fds.close(readEnd);
  }

  @Test
  void duplicateInAnotherProcessOrChannel_staysBlocking() throws Exception {
    try (Fds.Pair pipe = Fds.blockingPipe()) {
      int shared = Fds.dup(pipe.b()); // the same description, as a child process would have
      try (FdChannel out = FdChannel.borrow(pipe.b())) {
        out.write(ByteBuffer.allocate(1));
        assertThat(Fds.isNonblocking(shared)).isFalse();
      }
      Fds.close(shared);
    }
  }

  @Test
  void eventfdThatBlocks_isReadWithCare(Scheduler s) throws Exception {
    int eventFd = Kernel.system().eventfd(0, Linux.EFD_CLOEXEC);
    List<String> seen = new ArrayList<>();
    try (FdChannel channel = FdChannel.borrow(eventFd)) {
      s.spawn(() -> seen.add("read " + channel.read(ByteBuffer.allocate(8))));
      s.spawn(() -> {
        seen.add("other");
        channel.write(ByteBuffer.allocate(8).put(7, (byte) 1).put(0, (byte) 1));
      });
      s.run();
      assertThat(seen).containsExactly("other", "read 8");
    }
    assertThat(Fds.isNonblocking(eventFd)).isFalse();
    Fds.close(eventFd);
  }
}
