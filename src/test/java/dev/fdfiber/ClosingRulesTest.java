package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static dev.fdfiber.Scheduler.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.SocketPair;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** R16: closing a descriptor through the library, while fibers wait for it. */
@FdTest
class ClosingRulesTest {
  /** The ways to close a descriptor so that its waiters are told. */
  enum Closer {
    SOCK {
      @Override
      void close(int fd) throws Exception {
        Sock.close(fd);
      }
    },
    CHANNEL {
      @Override
      void close(int fd) throws Exception {
        FdChannel.own(fd).close();
      }
    },
    CLOSING {
      @Override
      void close(int fd) {
        Scheduler.closing(fd);
        Fds.close(fd);
      }
    };

    abstract void close(int fd) throws Exception;
  }

  private final List<String> seen = new ArrayList<>();

  private void waiter(Scheduler s, String name, int fd, int mode, double timeout) {
    s.spawn(
        name,
        () -> {
          try {
            seen.add(name + Scheduler.ioWait(fd, mode, timeout));
          } catch (ClosedChannelException e) {
            seen.add(name + " closed");
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Closer.class)
  void r16_closing_wakesEveryWaiter(Closer closer, SocketPair pair) {
    try (Scheduler s = Scheduler.create()) {
      Fds.fill(pair.a());
      waiter(s, "a", pair.a(), READ, -1);
      waiter(s, "b", pair.a(), READ | WRITE, 1000);
      waiter(s, "c", pair.b(), READ | WRITE, 1000); // another descriptor
      waiter(s, "d", pair.a(), WRITE, -1);
      s.runUntilEmpty();
      s.spawn(() -> closer.close(pair.a()));
      s.run();
      assertThat(seen).containsExactly("c3", "a closed", "b closed", "d closed");
      assertThat(s.anyIoWaiter()).isFalse();
      assertThat(s.nextWakeNanos()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(Closer.class)
  void r16_closingByTheDriverOutsideAFiber_wakesEveryWaiter(Closer closer, Pipe pipe)
      throws Exception {
    try (Scheduler s = Scheduler.create()) {
      waiter(s, "a", pipe.readFd(), READ, -1);
      waiter(s, "b", pipe.readFd(), READ, 1000);
      s.runUntilEmpty();
      closer.close(pipe.readFd());
      s.run();
      assertThat(seen).containsExactly("a closed", "b closed");
    }
  }

  @ParameterizedTest
  @EnumSource(Closer.class)
  void r16_theNumberReusedAtOnce_isNotWhatTheWaitersGet(Closer closer, Pipe pipe, Pipe full) {
    try (Scheduler s = Scheduler.create()) {
      Fds.write(full.writeFd(), "x");
      waiter(s, "old", pipe.readFd(), READ, -1);
      s.runUntilEmpty();
      s.spawn(() -> {
        closer.close(pipe.readFd());
        assertThat(Opened.dupFrom(pipe.readFd(), full.readFd())).isEqualTo(pipe.readFd());
      });
      waiter(s, "new", pipe.readFd(), READ, -1);
      s.run();
      assertThat(seen).containsExactlyInAnyOrder("old closed", "new1");
      Fds.close(pipe.readFd()); // the number of another file now
    }
  }

  @ParameterizedTest
  @EnumSource(Closer.class)
  void r16_waitThatWasOver_whoseFiberHadNotGoneOn_isClosedToo(Closer closer, Pipe pipe, Pipe full)
      throws Exception {
    try (Scheduler s = Scheduler.create();
        Fds.Pair first = Fds.pipe()) {
      Fds.write(full.writeFd(), "x");
      Fiber closes =
          s.spawn(() -> {
            Scheduler.ioWait(first.a(), READ, -1);
            closer.close(pipe.readFd());
            Opened.dupFrom(pipe.readFd(), full.readFd());
          });
      waiter(s, "over", pipe.readFd(), READ, -1);
      waiter(s, "other", first.a(), READ, -1);
      s.runUntilEmpty();
      // Both become ready in one look, and the closer registered first: it goes on first.
      Fds.write(first.b(), "x");
      Fds.write(pipe.writeFd(), "x");
      s.run();
      assertThat(closes.failure()).isEmpty();
      assertThat(seen).containsExactly("over closed", "other1");
      Fds.close(pipe.readFd()); // the number of another file now
    }
  }

  @Test
  void r16_waitOfTheNewFile_isNotTakenForOneOfTheOld(Pipe first, Pipe pipe, Pipe full) {
    try (Scheduler s = Scheduler.create()) {
      Fds.write(full.writeFd(), "x");
      s.spawn(() -> {
        Scheduler.ioWait(first.readFd(), READ, -1);
        Sock.close(pipe.readFd());
        Opened.dupFrom(pipe.readFd(), full.readFd());
        for (int i = 0; i < 3; i++) {
          seen.add("new" + Scheduler.ioWait(pipe.readFd(), READ, -1));
        }
      });
      waiter(s, "over", pipe.readFd(), READ, -1);
      s.runUntilEmpty();
      Fds.write(first.writeFd(), "x");
      Fds.write(pipe.writeFd(), "x");
      s.run();
      assertThat(seen).containsExactlyInAnyOrder("over closed", "new1", "new1", "new1");
      Fds.close(pipe.readFd()); // the number of another file now
    }
  }

  @Test
  void r16_waitOfTheNewFile_thatIsOverBeforeAllOldOnesWentOn_isNotTakenForOneOfTheOld(
      Pipe first, Pipe pipe, Pipe full) {
    try (Scheduler s = Scheduler.create()) {
      Fds.write(full.writeFd(), "x");
      s.spawn(() -> {
        Scheduler.ioWait(first.readFd(), READ, -1);
        Sock.close(pipe.readFd());
        Opened.dupFrom(pipe.readFd(), full.readFd());
        seen.add("new" + Scheduler.ioWait(pipe.readFd(), READ, -1));
      });
      // More than one pass of them, so that the next look finds some that have not gone on.
      for (int i = 0; i < 3 * Loop.BATCH; i++) {
        s.spawn(() -> Scheduler.ioWait(first.readFd(), READ, -1));
      }
      waiter(s, "over", pipe.readFd(), READ, -1);
      s.runUntilEmpty();
      Fds.write(first.writeFd(), "x");
      Fds.write(pipe.writeFd(), "x");
      s.run();
      assertThat(seen).containsExactly("over closed", "new1");
      Fds.close(pipe.readFd()); // the number of another file now
    }
  }

  @Test
  void r16_duplicate_isAnotherDescriptor(Pipe pipe) throws Exception {
    try (Scheduler s = Scheduler.create()) {
      int duplicate = Fds.dup(pipe.readFd());
      waiter(s, "original", pipe.readFd(), READ, -1);
      waiter(s, "duplicate", duplicate, READ, -1);
      s.runUntilEmpty();
      Sock.close(pipe.readFd());
      s.runUntilEmpty();
      assertThat(seen).containsExactly("original closed");
      Fds.write(pipe.writeFd(), "x");
      s.run();
      assertThat(seen).containsExactly("original closed", "duplicate1");
      Fds.close(duplicate);
    }
  }

  @Test
  void r16_closingWhatNobodyWaitsFor_isHarmless(Pipe pipe) throws Exception {
    try (Scheduler s = Scheduler.create()) {
      waiter(s, "a", pipe.readFd(), READ, -1);
      s.spawn(() -> {
        for (int fd : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, pipe.writeFd(), 0}) {
          Scheduler.closing(fd);
          Scheduler.closing(fd);
        }
      });
      s.runUntilEmpty();
      assertThat(seen).isEmpty();
      Fds.write(pipe.writeFd(), "x");
      s.run();
      assertThat(seen).containsExactly("a1");
    }
  }

  @Test
  void r16_closingWithoutAScheduler_isHarmless(Pipe pipe) throws Exception {
    try (Scheduler s = Scheduler.create()) {
      waiter(s, "a", pipe.readFd(), READ, -1);
      s.runUntilEmpty();
      Thread plain = Thread.ofPlatform().start(() -> Scheduler.closing(pipe.readFd()));
      Thread virtual = Thread.ofVirtual().start(() -> Scheduler.closing(pipe.readFd()));
      plain.join();
      virtual.join();
      s.runUntilEmpty();
      assertThat(seen).as("only the caller's scheduler is told").isEmpty();
      Fds.write(pipe.writeFd(), "x");
      s.run();
      assertThat(seen).containsExactly("a1");
    }
  }

  @Test
  void r16_closedTwice_secondTimeIsEbadf() throws Exception {
    Fds.Pair pipe = Fds.pipe();
    Sock.close(pipe.a());
    assertThatThrownBy(() -> Sock.close(pipe.a()))
        .isInstanceOf(ErrnoException.class)
        .hasMessage("close(fd " + pipe.a() + "): EBADF (Bad file descriptor)");
    pipe.close();
  }

  @Test
  void r16_closingAChannel_wakesItsReadersAndWriters(SocketPair pair) throws Exception {
    try (Scheduler s = Scheduler.create()) {
      FdChannel channel = FdChannel.own(pair.a());
      Fds.fill(pair.a());
      Fiber reader = s.spawn(() -> channel.read(java.nio.ByteBuffer.allocate(1)));
      Fiber writer = s.spawn(() -> channel.write(java.nio.ByteBuffer.allocate(1)));
      s.runUntilEmpty();
      s.spawn(channel::close);
      try (var quiet = new dev.fdfiber.testing.Logged()) {
        s.run();
        assertThat(quiet.isEmpty()).isFalse();
      }
      assertThat(reader.failure()).get().isInstanceOf(ClosedChannelException.class);
      assertThat(writer.failure()).get().isInstanceOf(ClosedChannelException.class);
    }
  }
}
