package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.Place;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sock: listening, accepting, connecting. */
@FdTest
class SockConnectTest {
  private static final String HOST = "127.0.0.1";

  private final List<String> seen = new ArrayList<>();

  @ParameterizedTest
  @EnumSource(Place.class)
  void connection_carriesBytesBothWays(Place place) throws Exception {
    place.run(() -> {
      int listener = Sock.listen(0, false);
      int port = Sock.localPort(listener);
      assertThat(port).isBetween(1, 65_535);
      int client = Sock.connect(HOST, port);
      int server = Sock.accept(listener);
      assertThat(Sock.localPort(server)).isEqualTo(port);
      Sock.writeStr(client, "ping");
      assertThat(Sock.recvSome(server, 0)).asString().isEqualTo("ping");
      Sock.writeStr(server, "pong");
      assertThat(Sock.recvSome(client, 0)).asString().isEqualTo("pong");
      for (int fd : new int[] {listener, client, server}) {
        assertThat(Opened.isCloseOnExec(fd)).isTrue();
        assertThat(Fds.isNonblocking(fd)).isTrue();
        Sock.close(fd);
      }
    });
  }

  @Test
  void acceptBeforeConnect_parksTheFiberAlone(Scheduler s) throws Exception {
    int listener = Sock.listen(0, false);
    int port = Sock.localPort(listener);
    s.spawn(() -> {
      int server = Sock.accept(listener);
      seen.add("accepted");
      Sock.close(server);
    });
    s.spawn(() -> {
      seen.add("other");
      Sock.close(Sock.connect(HOST, port));
    });
    s.run();
    assertThat(seen).containsExactly("other", "accepted");
    Sock.close(listener);
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void ipv6_worksWhereThereIsOne(Place place) throws Exception {
    Assumptions.assumeTrue(
        NetworkInterface.getByInetAddress(InetAddress.ofLiteral("::1")) != null, "no ::1");
    place.run(() -> {
      int listener = Sock.listen("::1", 0, false, 10);
      int client = Sock.connect("::1", Sock.localPort(listener));
      int server = Sock.accept(listener);
      Sock.writeStr(client, "six");
      assertThat(Sock.recvSome(server, 0)).asString().isEqualTo("six");
      for (int fd : new int[] {listener, client, server}) {
        Sock.close(fd);
      }
    });
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void hostName_isLookedUp(Place place) throws Exception {
    place.run(() -> {
      int listener = Sock.listen("localhost", 0, false, 10);
      int client = Sock.connect("localhost", Sock.localPort(listener));
      Sock.close(Sock.accept(listener));
      Sock.close(client);
      Sock.close(listener);
    });
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void acceptNb_isMinusOneWithoutAConnection(Place place) throws Exception {
    place.run(() -> {
      for (boolean blocking : new boolean[] {false, true}) {
        int listener = listener(blocking);
        assertThat(Sock.acceptNb(listener)).isEqualTo(-1);
        int client = Sock.connect(HOST, Sock.localPort(listener));
        int server = Sock.acceptNb(listener);
        assertThat(server).isNotNegative();
        assertThat(Sock.acceptNb(listener)).isEqualTo(-1);
        assertThat(Fds.isNonblocking(listener)).isEqualTo(!blocking);
        for (int fd : new int[] {listener, client, server}) {
          Sock.close(fd);
        }
      }
    });
  }

  /** A listener, as somebody else may hand it over: its description blocks. */
  static int listener(boolean blocking) throws Exception {
    int listener = Sock.listen(0, false);
    if (blocking) {
      int flags = Fds.flags(listener) & ~Linux.O_NONBLOCK;
      assertThat(Kernel.system().fcntl(listener, Linux.F_SETFL, flags)).isZero();
    }
    return listener;
  }

  @Test
  void acceptOnABlockingListener_holdsNoOtherFiber(Scheduler s) throws Exception {
    int listener = listener(true);
    int port = Sock.localPort(listener);
    for (int i = 0; i < 2; i++) {
      s.spawn(() -> {
        Sock.close(Sock.accept(listener));
        seen.add("accepted");
      });
    }
    for (int i = 0; i < 2; i++) {
      s.spawn(() -> {
        seen.add("other");
        int client = Sock.connect(HOST, port);
        Scheduler.pause(0.000_1);
        Sock.close(client);
      });
    }
    s.run();
    assertThat(seen).startsWith("other", "other").endsWith("accepted", "accepted").hasSize(4);
    assertThat(Fds.isNonblocking(listener)).isFalse();
    Sock.close(listener);
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void connectionRefused_tellsWhereAndWhy(Place place) throws Exception {
    int listener = Sock.listen(0, false);
    int port = Sock.localPort(listener);
    Sock.close(listener);
    place.run(() -> {
      ErrnoException e = catchThrowableOfType(ErrnoException.class, () -> Sock.connect(HOST, port));
      assertThat(e.errno()).isEqualTo(Errno.ECONNREFUSED);
      assertThat(e).hasMessageContaining(HOST).hasMessageContaining("" + port);
    });
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void portTaken_namesAddressAndPort(Place place) throws Exception {
    place.run(() -> {
      int listener = Sock.listen(0, false);
      int port = Sock.localPort(listener);
      ErrnoException e = catchThrowableOfType(ErrnoException.class, () -> Sock.listen(port, false));
      assertThat(e.errno()).isEqualTo(Errno.EADDRINUSE);
      assertThat(e).hasMessageContaining(HOST).hasMessageContaining("" + port);
      Sock.close(listener);
      Sock.close(Sock.listen(port, false)); // free again at once: SO_REUSEADDR
    });
  }

  @Test
  void reusePort_letsTwoListen() throws Exception {
    int first = Sock.listen(0, true);
    int second = Sock.listen(Sock.localPort(first), true);
    assertThat(Sock.localPort(second)).isEqualTo(Sock.localPort(first));
    Sock.close(first);
    Sock.close(second);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 65_536, Integer.MIN_VALUE, Integer.MAX_VALUE})
  void portOutOfRange_isRefused(int port) {
    assertThatThrownBy(() -> Sock.listen(port, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("" + port);
    assertThatThrownBy(() -> Sock.connect(HOST, port))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("" + port);
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void badDescriptors_areEbadfOrEnotsock(Place place, Pipe pipe) throws Exception {
    int closed = Opened.notOpen();
    place.run(() -> {
      assertErrno(Errno.EBADF, () -> Sock.accept(closed));
      assertErrno(Errno.EBADF, () -> Sock.acceptNb(-1));
      assertErrno(Errno.EBADF, () -> Sock.localPort(closed));
      assertErrno(Errno.EBADF, () -> Sock.setNonblock(closed));
      assertErrno(Errno.EBADF, () -> Sock.close(closed));
      assertErrno(Errno.EBADF, () -> Sock.close(-1));
      assertErrno(Errno.ENOTSOCK, () -> Sock.accept(pipe.readFd()));
      assertErrno(Errno.ENOTSOCK, () -> Sock.localPort(pipe.readFd()));
      assertErrno(Errno.EINVAL, () -> acceptOnAClient());
    });
  }

  private static void acceptOnAClient() throws Exception {
    int fd = Opened.tcpSocket();
    try {
      Sock.accept(fd);
    } finally {
      Fds.close(fd);
    }
  }

  private static void assertErrno(
      int errno, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    ErrnoException e = catchThrowableOfType(ErrnoException.class, call);
    assertThat(e).isNotNull();
    assertThat(e.name()).isEqualTo(Errno.name(errno));
  }

  @Test
  @Tag("slow") // a resolver may take its time to say no
  void hostThatDoesNotResolve_isUnknownAndHoldsNoOtherFiber(Scheduler s) {
    String host = "no-such-host-" + System.nanoTime() + ".invalid"; // which no cache has
    Fiber looks =
        s.spawn(() -> {
          assertThatThrownBy(() -> Sock.connect(host, 80))
              .isInstanceOf(UnknownHostException.class)
              .hasMessageContaining(host);
          seen.add("unknown");
        });
    s.spawn(() -> seen.add("other")); // which may come late: the lookup can be over by then
    s.run();
    assertThat(looks.failure()).isEmpty();
    assertThat(seen).containsExactly("other", "unknown");
    assertThatThrownBy(() -> Sock.connect("no-such-host.invalid", 80))
        .isInstanceOf(UnknownHostException.class);
    assertThatThrownBy(() -> Sock.listen("no-such-host.invalid", 0, false, 1))
        .isInstanceOf(UnknownHostException.class);
  }

  @Test
  void closeOfAListener_wakesWhoAccepts(Scheduler s) throws Exception {
    int listener = Sock.listen(0, false);
    Fiber accepts =
        s.spawn(() ->
            assertThatThrownBy(() -> Sock.accept(listener))
                .isInstanceOf(java.nio.channels.ClosedChannelException.class));
    s.runUntilEmpty();
    s.spawn(() -> Sock.close(listener));
    s.run();
    assertThat(accepts.failure()).isEmpty();
  }
}
