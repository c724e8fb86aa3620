package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.kernel.SocketAddress;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Opened;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@FdTest
@ExtendWith(LeftBehind.class)
class UdpSocketTest {

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String text(UdpSocket.Datagram datagram) {
    return StandardCharsets.UTF_8.decode(datagram.bytes().duplicate()).toString();
  }

  private static InetSocketAddress loopback(String host) {
    return new InetSocketAddress(InetAddress.ofLiteral(host), 0);
  }

  /** IPv6 only where the machine has it. */
  private static List<String> hosts() {
    List<String> hosts = new ArrayList<>(List.of("127.0.0.1"));
    try {
      UdpSocket.bind(loopback("::1")).close();
      hosts.add("::1");
    } catch (java.io.IOException e) {
      System.out.println("A test goes without IPv6: " + e.getMessage());
    }
    return hosts;
  }

  @EachPlace
  void datagrams_goAndComeBack_withSendersAndBounds(Where where) throws Exception {
    where.run(() -> {
      for (String host : hosts()) {
        try (UdpSocket server = UdpSocket.bind(loopback(host));
            UdpSocket client = UdpSocket.bind(loopback(host))) {
          assertThat(Opened.isCloseOnExec(server.fd())).isTrue();
          Where.Beside echo =
              Where.start(() -> {
                for (int i = 0; i < 3; i++) {
                  UdpSocket.Datagram got = server.receive(100);
                  server.sendTo(got.from(), got.bytes());
                }
              });
          client.sendTo(server.localAddress(), bytes("one"));
          assertThat(text(client.receive(100))).isEqualTo("one");
          client.connect(server.localAddress());
          client.send(bytes("second"));
          UdpSocket.Datagram second = client.receive(3);
          assertThat(text(second)).isEqualTo("sec");
          assertThat(second.isTruncated()).isTrue();
          assertThat(second.from()).isEqualTo(server.localAddress());
          client.send(bytes(""));
          UdpSocket.Datagram empty = client.receive(3);
          assertThat(text(empty)).isEmpty();
          assertThat(empty.isTruncated()).isFalse();
          echo.join();
          assertThat(client.receive(1, Duration.ofNanos(1))).isEmpty();
        }
      }
    });
  }

  @EachPlace
  void nobodyThere_isToldToWhoIsConnected(Where where) throws Exception {
    where.run(() -> {
      try (UdpSocket client = UdpSocket.bind(loopback("127.0.0.1"))) {
        InetSocketAddress nobody; // at no port of the client's, which has one already
        try (UdpSocket gone = UdpSocket.bind(loopback("127.0.0.1"))) {
          nobody = gone.localAddress();
        }
        client.connect(nobody);
        client.send(bytes("x"));
        assertThatThrownBy(() -> client.receive(1))
            .isInstanceOf(ErrnoException.class)
            .hasMessageContaining("ECONNREFUSED");
        assertThatThrownBy(() -> client.send(ByteBuffer.allocate(70_000)))
            .hasMessageContaining("EMSGSIZE");
      }
    });
  }

  @EachPlace
  void waits_endByCancelAndByClose(Where where) throws Exception {
    where.run(() -> {
      try (UdpSocket socket = UdpSocket.bind(loopback("127.0.0.1"))) {
        Where.assertCancellable(() -> socket.receive(1));
        socket.sendTo(socket.localAddress(), bytes("me"));
        assertThat(text(socket.receive(2))).isEqualTo("me");
        Where.assertWokenByClose(() -> socket.receive(1), socket);
      }
    });
  }

  @Test
  void linkLocalSender_isToldWithItsLink_soThatItCanBeAnswered() throws Exception {
    byte[] ip = InetAddress.ofLiteral("fe80::1").getAddress();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address =
          SocketAddress.encode(arena, Inet6Address.getByAddress(null, ip, 7), 53);
      InetSocketAddress decoded = SocketAddress.decode(address);
      assertThat(((Inet6Address) decoded.getAddress()).getScopeId()).isEqualTo(7);
      assertThat(decoded.getPort()).isEqualTo(53);
    }
  }

  @Test
  void badInput_isRefused() throws Exception {
    assertThatThrownBy(() -> UdpSocket.open(StandardProtocolFamily.UNIX))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> UdpSocket.bind(InetSocketAddress.createUnresolved("no.host", 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not resolved");
    try (UdpSocket six = UdpSocket.open(StandardProtocolFamily.INET6)) {
      assertThatThrownBy(() -> six.receive(-1)).isInstanceOf(IllegalArgumentException.class);
      assertThat(six).hasToString("udp socket fd " + six.fd());
    } catch (ErrnoException e) {
      assertThat(e.name()).isEqualTo("EAFNOSUPPORT");
    }
  }
}
