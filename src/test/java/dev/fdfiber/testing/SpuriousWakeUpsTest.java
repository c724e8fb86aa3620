package dev.fdfiber.testing;

import static dev.fdfiber.kernel.EpollEvents.EPOLLET;
import static dev.fdfiber.kernel.EpollEvents.EPOLLHUP;
import static dev.fdfiber.kernel.EpollEvents.EPOLLIN;
import static dev.fdfiber.kernel.EpollEvents.EPOLLONESHOT;
import static dev.fdfiber.kernel.EpollEvents.EPOLL_CTL_ADD;
import static dev.fdfiber.kernel.EpollEvents.EPOLL_CTL_MOD;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.FdChannel;
import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.EpollEvents;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.sock.Sock;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Wake-ups for nothing, with each way to ask who is ready. */
class SpuriousWakeUpsTest {
  private static final int MANY = 20; // so that poll(2) is given up

  // ---- scripted

  private static void oneIsSeen(Scheduler s, Faults faults, VirtualClock clock, Pipe pipe) {
    List<String> log = new ArrayList<>();
    s.spawn(() -> {
      Scheduler.pause(60); // so that the others wait by then
      faults.spuriousWakeUp(pipe.readFd());
      assertThat(Scheduler.ioWait(pipe.readFd(), Scheduler.READ, 7200)).isOne();
      log.add("woken after " + clock.elapsed());
      Fds.assertNotReadable(pipe.readFd());
      assertThat(Sock.recvSome(pipe.readFd(), 0)).hasSize(1);
      log.add("read after " + clock.elapsed());
    });
    s.spawn(() -> {
      Scheduler.pause(3600);
      Fds.write(pipe.writeFd(), "x");
    });
    s.run();
    assertThat(log).containsExactly("woken after PT1M", "read after PT1H");
  }

  @FdTest(poller = PollerKind.POLL)
  void one_underPoll(Scheduler s, Faults faults, VirtualClock clock, Pipe pipe) {
    oneIsSeen(s, faults, clock, pipe);
    assertThat(s.info().poller()).isEqualTo(PollerKind.POLL);
  }

  @FdTest(poller = PollerKind.EPOLL)
  void one_underEpoll(Scheduler s, Faults faults, VirtualClock clock, Pipe pipe) {
    oneIsSeen(s, faults, clock, pipe);
    assertThat(s.info().poller()).isEqualTo(PollerKind.EPOLL);
  }

  @FdTest
  void one_whereManyWait(Scheduler s, Faults faults, VirtualClock clock, Pipe pipe) {
    List<Pipe> others = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      Pipe other = Pipe.open();
      others.add(other);
      s.spawn(() -> assertThat(Scheduler.ioWait(other.readFd(), Scheduler.READ, 7200)).isZero());
    }
    oneIsSeen(s, faults, clock, pipe);
    assertThat(s.info().poller()).isEqualTo(PollerKind.EPOLL);
    others.forEach(Pipe::close);
  }

  /** A channel that owns its descriptor is told by a registration that lasts. */
  @FdTest(poller = PollerKind.EPOLL)
  void one_ofALastingRegistration(Scheduler s, Faults faults, VirtualClock clock, Pipe pipe)
      throws Exception {
    List<String> log = new ArrayList<>();
    try (FdChannel channel = FdChannel.own(Fds.dup(pipe.readFd()))) {
      s.spawn(() -> {
        faults.spuriousWakeUp(channel.fd());
        ByteBuffer buffer = ByteBuffer.allocate(10);
        assertThat(channel.read(buffer)).isOne();
        log.add("first " + clock.elapsed());
        assertThat(channel.read(buffer)).isOne();
        log.add("second " + clock.elapsed());
      });
      s.spawn(() -> {
        for (int i = 0; i < 2; i++) {
          Scheduler.pause(3600);
          Fds.write(pipe.writeFd(), "x");
        }
      });
      s.run();
    }
    assertThat(log).containsExactly("first PT1H", "second PT2H");
  }

  // ---- at random

  private static void copyIsWhole(Scheduler s, SocketPair pair, Pipe pipe) {
    byte[] data = "0123456789".repeat(30_000).getBytes(StandardCharsets.US_ASCII);
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
          byte[] some = Sock.recvSome(pair.b(), 0);
          while (some.length > 0) {
            Sock.writeBytes(pipe.writeFd(), some, some.length);
            some = Sock.recvSome(pair.b(), 0);
          }
          Sock.close(pipe.writeFd());
        });
    s.spawn("reader", () -> got.add(Sock.recvAll(pipe.readFd(), 0)));
    s.run();
    assertThat(got).hasSize(1);
    assertThat(got.getFirst()).isEqualTo(data);
  }

  @FdTest(seeds = 20, poller = PollerKind.POLL)
  void someAtRandom_underPoll(Scheduler s, Faults faults, SocketPair pair, Pipe pipe) {
    faults.spuriousWakeUpsAtRandom(0.3);
    copyIsWhole(s, pair, pipe);
  }

  @FdTest(seeds = 20, poller = PollerKind.EPOLL)
  void someAtRandom_underEpoll(Scheduler s, Faults faults, SocketPair pair, Pipe pipe) {
    faults.spuriousWakeUpsAtRandom(0.3);
    copyIsWhole(s, pair, pipe);
  }

  @FdTest(seeds = 20, poller = PollerKind.EPOLL)
  void someAtRandom_ofLastingRegistrations(Scheduler s, Faults faults, SocketPair pair)
      throws Exception {
    faults.spuriousWakeUpsAtRandom(0.3);
    byte[] data = "0123456789".repeat(30_000).getBytes(StandardCharsets.US_ASCII);
    ByteArrayOutputStream got = new ByteArrayOutputStream();
    try (FdChannel in = FdChannel.own(Fds.dup(pair.b()))) {
      FdChannel out = FdChannel.own(Fds.dup(pair.a()));
      pair.close();
      s.spawn(() -> {
        ByteBuffer buffer = ByteBuffer.wrap(data);
        while (buffer.hasRemaining()) {
          out.write(buffer);
        }
        out.close();
      });
      s.spawn(() -> {
        ByteBuffer buffer = ByteBuffer.allocate(10_000);
        for (int n; (n = in.read(buffer)) >= 0; buffer.clear()) {
          got.write(buffer.array(), 0, n);
        }
      });
      s.run();
    }
    assertThat(got.toByteArray()).isEqualTo(data);
  }

  static class Failing {
    @FdTest(seeds = 100, poller = PollerKind.EPOLL)
    void believesIt(Scheduler s, Faults faults, Pipe pipe) {
      faults.spuriousWakeUpsAtRandom(0.5);
      s.spawn(
          "believer",
          () -> {
            Scheduler.ioWait(pipe.readFd(), Scheduler.READ, -1);
            Fds.assertReadable(pipe.readFd());
          });
      s.spawn(() -> Fds.write(pipe.writeFd(), "x"));
      s.run();
    }
  }

  @FdTest
  void chosenOne_isToldInTheScheduleThatReplaysIt() {
    assertThat(Launched.run(Failing.class, "believesIt").failure())
        .hasMessageContaining("is not readable")
        .hasMessageContaining("f0=1  pipe.readFd is said to be ready, and nothing is\n");
  }

  // ---- what the kernel promises

  /** An epoll instance behind faults, and one look at it. */
  private static final class Instance implements AutoCloseable {
    private final Faults faults =
        new Faults(null, null, null, new SpuriousWakeUps(null, null, fd -> true));
    private final Kernel kernel =
        SystemCall.filtered(Kernel.system(), List.of((SystemCall.Filter) faults::around));
    private final int epollFd = kernel.epollCreate1(EpollEvents.EPOLL_CLOEXEC);
    private final EpollEvents events = new EpollEvents(4);

    int ask(int operation, int fd, int mask, int number) {
      events.set(mask, fd, number);
      return kernel.epollCtl(epollFd, operation, fd, events.array());
    }

    int look() {
      return kernel.epollPwait2(epollFd, events.array(), events.capacity(), 0);
    }

    @Override
    public void close() {
      events.close();
      kernel.close(epollFd);
    }
  }

  @FdTest
  void answeredOnce_isDisarmed_evenForAHangUp_untilItIsAskedAgain(Pipe pipe) throws Exception {
    int fd = pipe.readFd();
    try (Instance epoll = new Instance()) {
      epoll.ask(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, 7);
      assertThat(epoll.look()).isZero();
      epoll.faults.spuriousWakeUp(fd);
      assertThat(epoll.look()).isOne();
      assertThat(epoll.events.events(0)).isEqualTo(EPOLLIN);
      assertThat(epoll.events.fd(0)).isEqualTo(fd);
      assertThat(epoll.events.number(0)).isEqualTo(7);
      epoll.faults.spuriousWakeUp(fd);
      assertThat(epoll.look()).as("it is answered once").isZero();
      Fds.write(pipe.writeFd(), "x");
      Sock.close(pipe.writeFd());
      assertThat(epoll.look()).as("disarmed").isIn(0, -Errno.EINTR);
      assertThat(epoll.look()).as("disarmed").isZero();
      epoll.ask(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT, 8);
      assertThat(epoll.look()).isOne();
      assertThat(epoll.events.events(0)).isEqualTo(EPOLLIN | EPOLLHUP);
      assertThat(epoll.events.number(0)).isEqualTo(8);
      assertThat(epoll.look()).as("answered, and not by a fault").isZero();
    }
  }

  @FdTest
  void answeredByEdges_goesOnToTell(Pipe pipe) {
    try (Instance epoll = new Instance()) {
      epoll.ask(EPOLL_CTL_ADD, pipe.readFd(), EPOLLIN | EPOLLET, 7);
      epoll.faults.spuriousWakeUp(pipe.readFd());
      assertThat(epoll.look()).isOne();
      assertThat(epoll.look()).isZero();
      Fds.write(pipe.writeFd(), "x");
      assertThat(epoll.look()).isOne();
      assertThat(epoll.look()).isZero();
    }
  }

  @FdTest
  void whatTheKernelDoesNotKnow_isNotAnswered(Pipe pipe) {
    try (Fds.Pair blocking = Fds.blockingPipe();
        Fds.Pair gone = Fds.pipe();
        Instance epoll = new Instance()) {
      epoll.faults.spuriousWakeUp(pipe.readFd()); // nobody asked
      epoll.ask(EPOLL_CTL_ADD, blocking.a(), EPOLLIN | EPOLLONESHOT, 1);
      epoll.faults.spuriousWakeUp(blocking.a());
      epoll.ask(EPOLL_CTL_ADD, gone.a(), EPOLLIN | EPOLLONESHOT, 2);
      epoll.faults.spuriousWakeUp(gone.a());
      Fds.close(gone.a());
      int other = Opened.dupFrom(gone.a(), pipe.readFd()); // another file at its number
      assertThat(other).isEqualTo(gone.a());
      assertThat(epoll.look()).isZero();
      assertThat(epoll.ask(EPOLL_CTL_MOD, other, EPOLLIN, 3)).isEqualTo(-Errno.ENOENT);
    }
  }
}
