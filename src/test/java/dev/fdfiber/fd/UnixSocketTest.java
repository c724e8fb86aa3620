package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.FiberBody;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Trace;
import dev.fdfiber.testing.VirtualClock;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Unix sockets of every type, and pairs of them. */
@FdTest
@ExtendWith(LeftBehind.class)
class UnixSocketTest {
  private static final AtomicInteger COUNT = new AtomicInteger();

  @TempDir Path directory;

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String text(UnixSocket.Message message) {
    return StandardCharsets.UTF_8.decode(message.bytes().duplicate()).toString();
  }

  private UnixAddress path() {
    return UnixAddress.of(directory.resolve("socket" + COUNT.incrementAndGet()));
  }

  private static UnixAddress abstractName() {
    return UnixAddress.ofAbstract(
        "fdfiber-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet());
  }

  @EachPlace
  void stream_byPathAndByAbstractName_connectsAndEnds(Where where) throws Exception {
    where.run(() -> {
      for (UnixAddress address : new UnixAddress[] {path(), abstractName()}) {
        try (UnixSocket listener = UnixSocket.listen(address)) {
          assertThat(listener.localAddress()).contains(address);
          Where.Beside client =
              Where.start(() -> {
                try (UnixSocket socket = UnixSocket.connect(address)) {
                  socket.channel().write(bytes("hello"));
                  socket.shutdownOutput();
                  assertThat(text(socket.receive(10))).isEqualTo("bye");
                }
              });
          try (UnixSocket server = listener.accept()) {
            assertThat(Opened.isCloseOnExec(server.fd())).isTrue();
            assertThat(server.peer().pid()).isEqualTo((int) ProcessHandle.current().pid());
            ByteBuffer read = ByteBuffer.allocate(10);
            while (server.channel().read(read) >= 0) {}
            assertThat(read.position()).isEqualTo(5);
            server.send(bytes("bye"));
          }
          client.join();
        }
      }
    });
  }

  @EachPlace
  void datagrams_haveSendersAndBounds(Where where) throws Exception {
    where.run(() -> {
      UnixAddress serverName = path();
      UnixAddress clientName = abstractName();
      try (UnixSocket server = UnixSocket.bind(UnixSocket.Type.DATAGRAM, serverName);
          UnixSocket client = UnixSocket.bind(UnixSocket.Type.DATAGRAM, clientName);
          UnixSocket nameless = UnixSocket.datagram()) {
        client.sendTo(serverName, bytes("first"));
        client.sendTo(serverName, bytes(""));
        nameless.sendTo(serverName, bytes("third"));
        UnixSocket.Message first = server.receive(3);
        assertThat(text(first)).isEqualTo("fir");
        assertThat(first.isTruncated()).isTrue();
        assertThat(first.from()).contains(clientName);
        assertThat(text(server.receive(3))).isEmpty();
        UnixSocket.Message third = server.receive(5);
        assertThat(text(third)).isEqualTo("third");
        assertThat(third.isTruncated()).isFalse();
        assertThat(third.from()).isEmpty();
        assertThat(server.receive(1, 0, Duration.ofNanos(1))).isEmpty();
      }
    });
  }

  @EachPlace
  void fullQueue_parksTheSender(Where where) throws Exception {
    where.run(() -> {
      UnixAddress name = abstractName();
      int many = 3000; // net.unix.max_dgram_qlen is some hundred at most
      try (UnixSocket server = UnixSocket.bind(UnixSocket.Type.DATAGRAM, name);
          UnixSocket connected = UnixSocket.connect(UnixSocket.Type.DATAGRAM, name);
          UnixSocket free = UnixSocket.datagram()) {
        Where.Beside senders =
            Where.start(() -> {
              for (int i = 0; i < many; i++) {
                connected.send(bytes("c"));
              }
              for (int i = 0; i < 50; i++) {
                free.sendTo(name, bytes("f"));
              }
            });
        for (int i = 0; i < many + 50; i++) {
          assertThat(text(server.receive(9))).isEqualTo(i < many ? "c" : "f");
        }
        senders.join();
      }
    });
  }

  @FdTest
  void fullQueue_isWaitedFor_andNotAskedAgainAndAgain(
      Scheduler scheduler, VirtualClock clock, Trace trace) {
    UnixAddress name = abstractName();
    int many = 600; // net.unix.max_dgram_qlen is 10 or 512
    scheduler.spawn(() -> {
      try (UnixSocket server = UnixSocket.bind(UnixSocket.Type.DATAGRAM, name)) {
        Scheduler.pause(3600);
        for (int i = 0; i < many; i++) {
          assertThat(text(server.receive(9))).isEqualTo("" + i);
        }
      }
    });
    scheduler.spawn(() -> {
      try (UnixSocket free = UnixSocket.datagram()) {
        for (int i = 0; i < many; i++) {
          free.sendTo(name, bytes("" + i));
        }
      }
    });
    scheduler.run();
    assertThat(clock.elapsed()).isEqualTo(Duration.ofHours(1));
    long sends = trace.toString().lines().filter(line -> line.contains("sendmsg(")).count();
    assertThat(sends).isBetween((long) many, 3L * many);
  }

  @EachPlace
  void waitForAFullQueue_endsByCancel_andWhenTheReceiverIsGone(Where where) throws Exception {
    where.run(() -> {
      UnixAddress name = abstractName();
      try (UnixSocket server = UnixSocket.bind(UnixSocket.Type.DATAGRAM, name);
          UnixSocket free = UnixSocket.datagram()) {
        FiberBody sendsForEver =
            () -> {
              while (true) {
                free.sendTo(name, bytes("f"));
              }
            };
        Where.assertCancellable(sendsForEver);
        assertThat(text(server.receive(9))).isEqualTo("f");
        free.sendTo(name, bytes("f"));
        Where.Beside sender = Where.start(sendsForEver);
        server.close();
        assertThatThrownBy(sender::join)
            .isInstanceOf(ErrnoException.class)
            .hasMessageContaining("ECONNREFUSED");
      }
    });
  }

  @EachPlace
  void fullListener_parksWhoConnects(Where where) throws Exception {
    where.run(() -> {
      UnixAddress name = abstractName();
      try (UnixSocket listener = UnixSocket.bind(UnixSocket.Type.STREAM, name)) {
        assertThat(Kernel.system().listen(listener.fd(), 0)).isZero();
        try (UnixSocket first = UnixSocket.connect(name)) {
          Where.assertCancellable(() -> UnixSocket.connect(name));
          Where.Beside second = Where.start(() -> UnixSocket.connect(name).close());
          listener.accept().close();
          second.join();
          listener.accept().close();
          assertThat(text(first.receive(1))).isEmpty();
        }
      }
    });
  }

  @FdTest
  void fullListener_isAskedLessAndLessOften(Scheduler scheduler, VirtualClock clock, Trace trace) {
    UnixAddress name = abstractName();
    scheduler.spawn(() -> {
      try (UnixSocket listener = UnixSocket.bind(UnixSocket.Type.STREAM, name)) {
        assertThat(Kernel.system().listen(listener.fd(), 0)).isZero();
        try (UnixSocket first = UnixSocket.connect(name)) {
          Scheduler.pause(3.2);
          listener.accept().close();
          listener.accept().close();
          assertThat(text(first.receive(1))).isEmpty();
        }
      }
    });
    scheduler.spawn(() -> UnixSocket.connect(name).close());
    scheduler.run();
    assertThat(clock.elapsed()).isBetween(Duration.ofMillis(3200), Duration.ofMillis(3232));
    long asked = trace.toString().lines().filter(line -> line.contains("connect(")).count();
    assertThat(asked).as("after 1, 2, 4, 8, 16 ms and then every 32").isBetween(100L, 110L);
  }

  @EachPlace
  void packets_keepTheirBounds_andEnd(Where where) throws Exception {
    where.run(() -> {
      UnixAddress name = abstractName();
      try (UnixSocket listener = UnixSocket.listen(UnixSocket.Type.SEQPACKET, name);
          UnixSocket client = UnixSocket.connect(UnixSocket.Type.SEQPACKET, name);
          UnixSocket server = listener.accept(Duration.ofMinutes(1)).orElseThrow()) {
        client.send(bytes("one"));
        client.send(bytes("two"));
        client.close();
        assertThat(text(server.receive(100))).isEqualTo("one");
        assertThat(text(server.receive(100))).isEqualTo("two");
        assertThat(text(server.receive(100))).isEmpty();
        assertThat(listener.accept(Duration.ZERO)).isEmpty();
      }
    });
  }

  @EachPlace
  void descriptors_arePassed_andWork(Where where) throws Exception {
    where.run(() -> {
      for (UnixSocket.Type type : UnixSocket.Type.values()) {
        try (SocketPair pair = SocketPair.open(type);
            Pipe pipe = Pipe.open()) {
          pair.first().send(bytes("take these"), pipe.readFd(), pipe.writeFd());
          UnixSocket.Message message = pair.second().receive(100);
          assertThat(text(message)).isEqualTo("take these");
          assertThat(message.fds()).hasSize(2).allMatch(Opened::isCloseOnExec);
          assertThat(message.lostFds()).isFalse();
          assertThat(Fds.write(message.fds().get(1), "through")).isEqualTo(7);
          ByteBuffer read = ByteBuffer.allocate(100);
          assertThat(pipe.reader().read(read)).isEqualTo(7);
          message.fds().forEach(Fds::close);
        }
      }
    });
  }

  @EachPlace
  void descriptorsWithoutRoom_areClosedAndTold(Where where) throws Exception {
    where.run(() -> {
      try (SocketPair pair = SocketPair.open(UnixSocket.Type.SEQPACKET);
          Pipe pipe = Pipe.open()) {
        pair.second().passCredentials();
        for (int room : new int[] {0, 1, 2}) {
          Map<Integer, String> open = Fds.open();
          pair.first().send(bytes("x"), pipe.readFd(), pipe.readFd(), pipe.readFd());
          UnixSocket.Message message =
              pair.second().receive(10, room, Duration.ofMinutes(1)).orElseThrow();
          assertThat(text(message)).isEqualTo("x");
          assertThat(message.fds()).isEmpty();
          assertThat(message.lostFds()).isTrue();
          assertThat(open).as("none is new").containsAllEntriesOf(Fds.open());
        }
        assertThatThrownBy(() -> pair.first().send(bytes("x"), new int[254]))
            .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> pair.first().send(bytes("x"), Opened.notOpen()))
            .isInstanceOf(ErrnoException.class)
            .hasMessageContaining("EBADF");
      }
    });
  }

  @EachPlace
  void credentials_goWithMessages_whenAskedFor(Where where) throws Exception {
    where.run(() -> {
      try (SocketPair pair = SocketPair.open(UnixSocket.Type.DATAGRAM)) {
        pair.second().passCredentials();
        pair.first().send(bytes("me"), pair.firstFd());
        UnixSocket.Message message = pair.second().receive(10);
        Optional<Credentials> sender = message.credentials();
        assertThat(sender).map(Credentials::pid).contains((int) ProcessHandle.current().pid());
        message.fds().forEach(Fds::close);
        pair.second().send(bytes("you"));
        assertThat(pair.first().receive(10).credentials()).isEmpty();
      }
    });
  }

  @EachPlace
  void waits_endByCancelAndByClose(Where where) throws Exception {
    where.run(() -> {
      try (UnixSocket listener = UnixSocket.listen(abstractName());
          SocketPair pair = SocketPair.open()) {
        Where.assertCancellable(listener::accept);
        Where.assertCancellable(() -> pair.first().receive(1));
        pair.second().send(bytes("x"));
        assertThat(text(pair.first().receive(1))).isEqualTo("x");
        Where.assertWokenByClose(() -> pair.first().receive(1), pair.first());
        Where.assertWokenByClose(listener::accept, listener);
      }
    });
  }

  @EachPlace
  void longMessage_onAStream_isSentWhole(Where where) throws Exception {
    where.run(() -> {
      try (SocketPair pair = SocketPair.open()) {
        Where.Beside sender =
            Where.start(() -> {
              pair.first().send(ByteBuffer.allocate(1_000_000));
              pair.first().shutdownOutput();
            });
        int total = 0;
        int some;
        do {
          some = pair.second().receive(100_000).bytes().remaining();
          total += some;
        } while (some > 0);
        sender.join();
        assertThat(total).isEqualTo(1_000_000);
      }
    });
  }

  @Test
  void endOfAPair_isGiven_andClosedOnce() throws Exception {
    SocketPair pair = SocketPair.open();
    assertThat(Fds.isNonblocking(pair.secondFd())).isFalse();
    assertThat(pair.first()).isSameAs(pair.first());
    pair.closeSecond();
    assertThat(text(pair.first().receive(1))).isEmpty();
    assertThatThrownBy(() -> pair.first().send(bytes("x"))).hasMessageContaining("EPIPE");
    pair.closeFirst();
    pair.close();
    assertThat(pair.toString()).contains("fd " + pair.firstFd());
  }

  @Test
  void addresses_tooLongOrInUseOrNobodyThere_areTold() throws Exception {
    assertThatThrownBy(() -> UnixAddress.of(Path.of("/" + "x".repeat(107))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at most 107 bytes, this one 108");
    assertThatThrownBy(() -> UnixAddress.ofAbstract("ü".repeat(54)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new UnixAddress("a\0b", false))
        .isInstanceOf(IllegalArgumentException.class);
    for (UnixAddress longest :
        new UnixAddress[] {
          UnixAddress.ofAbstract("\0y" + "x".repeat(105)),
          new UnixAddress("x".repeat(107).substring(0, 107), true)
        }) {
      try (UnixSocket socket = UnixSocket.listen(longest)) {
        assertThat(socket.localAddress()).contains(longest);
      }
    }
    UnixAddress path = path();
    assertThatThrownBy(() -> UnixSocket.connect(path)).hasMessageContaining("ENOENT");
    UnixSocket.listen(path).close();
    assertThatThrownBy(() -> UnixSocket.listen(path)).hasMessageContaining("EADDRINUSE");
    assertThatThrownBy(() -> UnixSocket.connect(path))
        .hasMessageContaining("connect to " + path.name() + ": ECONNREFUSED");
    assertThatThrownBy(() -> UnixSocket.own(1)).isInstanceOf(IllegalArgumentException.class);
    assertThat(Fds.isOpen(1)).isTrue();
    assertThat(UnixAddress.ofAbstract("x")).hasToString("@x");
  }
}
