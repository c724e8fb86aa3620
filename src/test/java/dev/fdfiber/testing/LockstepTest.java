package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.fd.Command;
import dev.fdfiber.fd.PidFd;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.sock.Sock;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Writes that end when they were read. */
class LockstepTest {
  static class Failing {
    @FdTest
    void nobodyReads(Scheduler scheduler, Pipe pipe) {
      scheduler.spawn("writer", () -> pipe.writeUntilRead("x"));
      scheduler.run();
    }
  }

  private static String read(int fd) throws Exception {
    return new String(Sock.recvSome(fd, 0), StandardCharsets.UTF_8);
  }

  @FdTest
  void writer_goesOnWhenItWasRead_andThatTakesNoTime(
      Scheduler scheduler, VirtualClock clock, Pipe pipe, SocketPair pair) {
    List<String> log = new ArrayList<>();
    scheduler.spawn(() -> {
      pipe.writeUntilRead("one");
      log.add("one after " + clock.elapsed());
      Peer.writeUntilRead(pair.a(), new byte[] {'2'});
      log.add("2 after " + clock.elapsed());
    });
    scheduler.spawn(() -> {
      Scheduler.pause(3600);
      assertThat(read(pipe.readFd())).isEqualTo("one");
      Scheduler.pause(3600);
      assertThat(read(pair.b())).isEqualTo("2");
    });
    scheduler.run();
    assertThat(log).containsExactly("one after PT1H", "2 after PT2H");
  }

  @FdTest(seeds = 50)
  void piecesStayApart_inEveryOrder(Scheduler scheduler, Pipe pipe) {
    List<String> got = new ArrayList<>();
    scheduler.spawn(() -> {
      pipe.writeUntilRead("a");
      pipe.writeUntilRead("b");
      Sock.close(pipe.writeFd());
    });
    scheduler.spawn(() -> {
      for (String piece = read(pipe.readFd()); !piece.isEmpty(); piece = read(pipe.readFd())) {
        got.add(piece);
      }
    });
    scheduler.run();
    assertThat(got).containsExactly("a", "b");
  }

  @FdTest
  void whatTheTestReadsItself_isSeen(Scheduler scheduler, Pipe pipe) {
    Fiber writer = scheduler.spawn(() -> pipe.writeUntilRead("x"));
    scheduler.runUntilEmpty();
    Fds.assertBlocked(writer);
    assertThat(Fds.read(pipe.readFd())).isEqualTo("x");
    scheduler.run();
    assertThat(writer.failure()).isEmpty();
  }

  @FdTest
  void whatAnotherProcessReads_isSeen(Scheduler scheduler, VirtualClock clock, Pipe pipe) {
    scheduler.spawn(() -> pipe.writeUntilRead("x"));
    scheduler.spawn(() -> {
      try (PidFd child = PidFd.spawn(Command.of("head", "-c1").fd(0, pipe.readFd()))) {
        assertThat(child.await()).isEqualTo(new PidFd.Exited(0));
      }
    });
    scheduler.run();
    assertThat(clock.elapsed()).isEqualTo(Duration.ZERO);
  }

  @FdTest
  void readerThatIsGone_isEpipe_andACancelEndsIt(
      Scheduler scheduler, Uncaught uncaught, Pipe pipe, SocketPair pair) {
    scheduler.spawn("pipe", () -> pipe.writeUntilRead("x"));
    Fiber cancelled =
        scheduler.spawn("pair", () -> Peer.writeUntilRead(pair.a(), new byte[] {'x'}));
    scheduler.spawn(() -> Sock.close(pipe.readFd()));
    scheduler.runUntilEmpty();
    assertThat(uncaught.of("pipe"))
        .get()
        .isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EPIPE));
    Fds.assertBlocked(cancelled);
    cancelled.cancel();
    scheduler.run();
    assertThat(cancelled.failure()).get().isInstanceOf(InterruptedException.class);
  }

  @FdTest
  void nobodyWhoReads_isADeadlock() {
    assertThat(Launched.run(Failing.class, "nobodyReads").failure())
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining("fiber \"writer\" is blocked")
        .hasMessageContaining("Pipe.writeUntilRead");
  }
}
