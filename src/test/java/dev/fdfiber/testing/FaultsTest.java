package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.sock.Sock;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Faults by script and at random; helpers for the other side. */
class FaultsTest {
  @FdTest
  void thirdWrite_givesOneByte_thenEpipe(Scheduler s, Faults faults, SocketPair pair, Trace trace) {
    faults.on("write", pair.a()).pass(2).limit(1).fail(Errno.EPIPE);
    Fiber writer =
        s.spawn(
            "writer",
            () -> {
              Sock.writeStr(pair.a(), "one");
              Sock.writeStr(pair.a(), "two");
              try {
                Sock.writeStr(pair.a(), "three");
              } catch (ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.EPIPE);
              }
            });
    s.run();
    assertThat(writer.failure()).isEmpty();
    assertThat(Fds.read(pair.b())).isEqualTo("onetwot");
    assertThat(trace.toString()).contains("send(pair.a, 1, ", " = 1\n", " = EPIPE\n");
  }

  @FdTest
  void outOfDescriptors_interrupts_andFullDisks(Scheduler s, Faults faults, Listener listener) {
    faults.on("accept4").fail(Errno.EINTR).fail(Errno.EMFILE);
    faults.on("socket").pass(1).fail(Errno.ENOMEM);
    List<String> seen = new ArrayList<>();
    s.spawn(() -> {
      int client = Sock.connect(listener.host(), listener.port());
      assertThatThrownBy(() -> Sock.connect(listener.host(), listener.port()))
          .hasMessageContaining("ENOMEM");
      assertThatThrownBy(() -> Sock.accept(listener.fd())).hasMessageContaining("EMFILE");
      int server = Sock.accept(listener.fd());
      seen.add("accepted");
      Fds.reset(server);
      assertThatThrownBy(() -> Sock.recvSome(client, 0)).hasMessageContaining("ECONNRESET");
      Sock.close(client);
    });
    s.run();
    assertThat(seen).containsExactly("accepted");
  }

  @FdTest
  void slowCall_takesVirtualTime(Scheduler s, Faults faults, VirtualClock clock, SocketPair pair) {
    faults.on("write").slow(Duration.ofMinutes(1)).forEver();
    s.spawn(() -> {
      Sock.writeStr(pair.a(), "x");
      Sock.writeStr(pair.a(), "y");
    });
    s.run();
    assertThat(clock.elapsed()).isEqualTo(Duration.ofMinutes(2));
  }

  @FdTest
  void whatTheKernelPromises_isNotBroken(Scheduler s, Faults faults, Uncaught uncaught, Pipe pipe) {
    faults.on("read", pipe.readFd()).fail(Errno.EPIPE);
    faults.on("write", pipe.writeFd()).limit(1);
    s.spawn("reads", () -> Sock.recvSome(pipe.readFd(), 0));
    s.spawn(
        "writes",
        () -> {
          Sock.writeStr(pipe.writeFd(), "atomic");
        });
    Fds.write(pipe.writeFd(), "x");
    s.run();
    assertThat(uncaught.of("reads")).get().asString().contains("never fails with EPIPE");
    assertThat(uncaught.of("writes")).get().asString().contains("transfers all or nothing");
    assertThatThrownBy(() -> faults.on("read").limit(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> faults.on("read").fail(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> faults.on("read").slow(Duration.ZERO))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> faults.atRandom(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @FdTest(seeds = 100)
  void faultsAtRandom_loseNoByteOfSock(Scheduler s, Faults faults, SocketPair pair, Pipe pipe) {
    faults.atRandom(0.2);
    byte[] data = "0123456789".repeat(100).getBytes(StandardCharsets.US_ASCII);
    List<byte[]> got = new ArrayList<>();
    s.spawn(
        "writer",
        () -> {
          Sock.writeBytes(pair.a(), data, data.length);
          Sock.close(pair.a());
        });
    s.spawn(
        "relay",
        () -> {
          byte[] all = Sock.recvAll(pair.b(), 0);
          Sock.writeBytes(pipe.writeFd(), all, all.length);
          Sock.close(pipe.writeFd());
        });
    s.spawn("reader", () -> got.add(Sock.recvAll(pipe.readFd(), 0)));
    s.run();
    assertThat(got).hasSize(1);
    assertThat(got.getFirst()).isEqualTo(data);
  }

  /** Copies from one pair to another until its end, and counts how a run went. */
  private static void relay(Scheduler s, SocketPair pair, List<String> ends) {
    byte[] data = "0123456789".repeat(10).getBytes(StandardCharsets.US_ASCII);
    s.spawn(
        "writer",
        () -> {
          try {
            Sock.writeBytes(pair.a(), data, data.length);
            ends.add("written");
          } catch (ErrnoException e) {
            ends.add("writer " + e.name());
            assertThatThrownBy(() -> Sock.writeBytes(pair.a(), data, 1))
                .as("it stays so")
                .hasMessageContaining("EPIPE");
          }
          Sock.close(pair.a());
        });
    s.spawn(
        "reader",
        () -> {
          try {
            ends.add("read " + Sock.recvAll(pair.b(), 0).length);
          } catch (ErrnoException e) {
            ends.add("reader " + e.name());
            assertThat(Sock.recvSome(pair.b(), 0)).as("it is over").isEmpty();
          }
        });
    s.run();
    assertThat(ends).hasSize(2);
  }

  @FdTest(seeds = 60)
  void errorsAtRandom_comeWhereTheyMay_andLast(Scheduler s, Faults faults, SocketPair pair) {
    faults.atRandom(0.1, Errno.ECONNRESET, Errno.EPIPE, Errno.EMFILE);
    List<String> ends = new ArrayList<>();
    relay(s, pair, ends);
    for (String end : ends) {
      assertThat(end).matches("written|read \\d+|writer (EPIPE|ECONNRESET)|reader ECONNRESET");
    }
  }

  @FdTest(seeds = 40)
  void makersOfDescriptors_failAtRandom_andOnlyThey(Scheduler s, Faults faults, Pipe pipe) {
    faults.atRandom(0.3, Errno.EMFILE, Errno.ENOMEM, Errno.ENOSPC);
    s.spawn(() -> {
      try (var pair = dev.fdfiber.fd.SocketPair.open()) {
        assertThat(pair.firstFd()).isPositive();
      } catch (ErrnoException e) {
        assertThat(e.name()).isIn("EMFILE", "ENOMEM");
      }
      Sock.writeStr(pipe.writeFd(), "x");
      assertThat(Sock.recvSome(pipe.readFd(), 0)).hasSize(1);
    });
    s.run();
  }

  @FdTest(seeds = 20)
  void slowCallsAtRandom_takeVirtualTime(
      Scheduler s, Faults faults, VirtualClock clock, SocketPair pair) {
    faults.slowAtRandom(1, Duration.ofMinutes(1));
    s.spawn(() -> Sock.writeStr(pair.a(), "x"));
    s.run();
    assertThat(clock.elapsed()).isGreaterThanOrEqualTo(Duration.ofMinutes(1));
    assertThat(clock.elapsed().toSecondsPart()).isZero();
  }

  @FdTest
  void errorThatDoesNotComeAtRandom_isRefused(Faults faults) {
    assertThatThrownBy(() -> faults.atRandom(0.1, Errno.EACCES))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("EACCES does not come at random");
    assertThatThrownBy(() -> faults.slowAtRandom(0.1, Duration.ZERO))
        .isInstanceOf(IllegalStateException.class);
  }

  @FdTest
  void peers_sendInPieces_andReadSlowly(Scheduler s, VirtualClock clock, SocketPair pair) {
    List<String> pieces = new ArrayList<>();
    s.spawn(Peer.sending(pair.a(), bytes("ab"), bytes("c"), bytes("def")));
    s.spawn(() -> {
      for (int i = 0; i < 3; i++) {
        pieces.add(new String(Sock.recvSome(pair.b(), 0), StandardCharsets.UTF_8));
      }
    });
    s.run();
    assertThat(pieces).containsExactly("ab", "c", "def");
    ByteArrayOutputStream into = new ByteArrayOutputStream();
    Duration minute = Duration.ofMinutes(1);
    s.spawn(Peer.readingSlowly(pair.b(), 4, minute, into));
    s.spawn(() -> {
      Peer.sendingSlowly(pair.a(), bytes("hello world"), 4, minute).run();
      Fds.halfClose(pair.a());
    });
    s.run();
    assertThat(into).hasToString("hello world");
    assertThat(clock.elapsed()).isGreaterThan(Duration.ofMinutes(3));
  }

  @FdTest
  void sequencer_ordersFibers(Scheduler s) {
    Sequencer sequencer = Sequencer.of("first", "second", "third");
    List<String> order = new ArrayList<>();
    for (String step : List.of("third", "second", "first")) {
      s.spawn(() -> {
        sequencer.step(step);
        order.add(step);
      });
    }
    Fds.awaitIdle(s);
    assertThat(order).containsExactly("first", "second", "third");
    assertThat(sequencer).hasToString("taken: [first, second, third], to come: []");
    assertThatThrownBy(() -> sequencer.step("first")).hasMessageContaining("was taken before");
    assertThatThrownBy(() -> sequencer.step("x")).hasMessageContaining("no step \"x\"");
    assertThatThrownBy(() -> Sequencer.of("a", "a")).isInstanceOf(IllegalArgumentException.class);
  }

  @FdTest
  void assertions_tellWhatIsNot(Scheduler s, Pipe pipe) {
    Fds.assertNotReadable(pipe.readFd());
    Fds.assertWritable(pipe.writeFd());
    Fds.fill(pipe.writeFd());
    Fds.assertNotWritable(pipe.writeFd());
    Fds.assertReadable(pipe.readFd());
    assertThatThrownBy(() -> Fds.assertNotReadable(pipe.readFd()))
        .hasMessageContaining("fd " + pipe.readFd() + " (pipe:[");
    assertThat(Fds.drain(pipe.readFd())).isEqualTo(65_536);
    Fiber fiber = s.spawn(() -> Sock.recvSome(pipe.readFd(), 0));
    assertThatThrownBy(() -> Fds.assertBlocked(fiber)).hasMessageContaining("READY");
    Fds.awaitIdle(s);
    Fds.assertBlocked(fiber);
    s.clear();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
