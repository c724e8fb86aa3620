package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.Scheduler;
import dev.fdfiber.Tools;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Place;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Links, addresses and devices, in a JVM that has a network namespace of its own. */
@FdTest(limitSeconds = 120)
class NetworkTest {

  /** What runs in the namespace; what goes wrong ends it with a stack trace. */
  static final class Program {
    public static void main(String[] args) throws Exception {
      for (Where where : Where.all()) {
        where.run(args[0].equals("netlink") ? Program::netlink : Program::tun);
      }
      System.out.println("all is well");
    }

    private static void ip(String... batch) throws Exception {
      Path file = Files.createTempFile("ip", "batch");
      Files.write(file, List.of(batch));
      try (PidFd child = PidFd.spawn(Command.of("ip", "-batch", file.toString()))) {
        assertThat(child.await()).isEqualTo(new PidFd.Exited(0));
      } finally {
        Files.delete(file);
      }
    }

    static void netlink() throws Exception {
      try (Netlink netlink = Netlink.open()) {
        Where.assertCancellable(netlink::next);
        ip(
            "link add va type veth peer name vb",
            "addr add 10.9.0.1/24 dev va",
            "link set va up",
            "link set vb up",
            "addr del 10.9.0.1/24 dev va",
            "link del va");
        List<Netlink.Event> events = new ArrayList<>();
        do {
          events.add(netlink.next(Duration.ofSeconds(30)).orElseThrow());
        } while (!(events.getLast() instanceof Netlink.LinkRemoved(int gone, String name)
            && name.equals("va")));
        int index = ((Netlink.LinkRemoved) events.getLast()).index();
        InetAddress address = InetAddress.ofLiteral("10.9.0.1");
        assertThat(events)
            .contains(
                new Netlink.LinkChanged(index, "va", false, false),
                new Netlink.AddressAdded(index, address, 24),
                new Netlink.LinkChanged(index, "va", true, true),
                new Netlink.AddressRemoved(index, address, 24));

        while (netlink.next(Duration.ofMillis(10)).isPresent()) {}
        netlink.receiveBuffer(1);
        List<String> many = new ArrayList<>(List.of("link add vc type veth peer name vd"));
        for (int i = 0; i < 100; i++) {
          many.add("link set vc mtu " + (1400 + i));
        }
        many.add("link del vc");
        ip(many.toArray(new String[0]));
        Netlink.Event event;
        do {
          event = netlink.next(Duration.ofSeconds(30)).orElseThrow();
        } while (!(event instanceof Netlink.Resync));
        while (netlink.next(Duration.ofMillis(10)).isPresent()) {}
        Where.assertWokenByClose(netlink::next, netlink);
      }
    }

    static void tun() throws Exception {
      try (Tun tun = Tun.open(Tun.Kind.TUN, "ft%d");
          UdpSocket socket = UdpSocket.open(StandardProtocolFamily.INET)) {
        assertThat(tun.name()).isEqualTo("ft0");
        assertThat(Opened.isCloseOnExec(tun.fd())).isTrue();
        Where.assertCancellable(() -> tun.channel().read(ByteBuffer.allocate(1)));
        ip("addr add 10.8.0.1/24 dev ft0", "link set ft0 up");
        socket.sendTo(
            new InetSocketAddress(InetAddress.ofLiteral("10.8.0.2"), 9), ByteBuffer.allocate(3));
        ByteBuffer packet = ByteBuffer.allocate(2000);
        do { // IPv6 says hello on its own
          tun.channel().read(packet.clear());
        } while (packet.get(0) >> 4 != 4);
        assertThat(packet.get(9)).as("protocol").isEqualTo((byte) 17);
        assertThat(packet.getInt(16)).as("destination").isEqualTo(0x0A080002);
        assertThat(packet.position()).isEqualTo(20 + 8 + 3);
        assertThatThrownBy(() -> Tun.open(Tun.Kind.TUN, "ft0")).hasMessageContaining("EBUSY");
        try (Tun tap = Tun.open(Tun.Kind.TAP, "")) {
          assertThat(tap.name()).isEqualTo("tap0");
        }
        Where.assertWokenByClose(() -> PidFdTest.readAll(tun.channel()), tun);
      }
    }
  }

  private static void runInNamespace(String what) throws Exception {
    String unshare = Tools.require("unshare").toString();
    Tools.require("ip");
    try (PidFd trial = PidFd.spawn(Command.of(unshare, "-n", "true"))) {
      assumeSo(trial.await().equals(new PidFd.Exited(0)), "no network namespace is permitted here");
    }
    List<String> words = new ArrayList<>(List.of(unshare, "-n"));
    words.add(ProcessHandle.current().info().command().orElseThrow());
    words.addAll(ChildJvm.FIBER_FLAGS);
    words.addAll(List.of("-cp", System.getProperty("java.class.path"), Program.class.getName()));
    words.add(what);
    try (Pipe out = Pipe.open()) {
      Command command = Command.of(words).fd(1, out.writeFd());
      try (PidFd child = PidFd.spawn(command)) {
        out.closeWriter();
        assertThat(PidFdTest.readAll(out.reader())).endsWith("all is well\n");
        assertThat(child.await()).isEqualTo(new PidFd.Exited(0));
      }
    }
  }

  private static void assumeSo(boolean condition, String otherwise) {
    if (!condition) {
      System.out.println("A test is skipped: " + otherwise + ".");
      Assumptions.abort(otherwise);
    }
  }

  @Test
  @Tag("slow")
  void netlink_tellsLinksAndAddresses_andWhenToResync() throws Exception {
    runInNamespace("netlink");
  }

  @Test
  @Tag("slow")
  void tun_carriesPackets() throws Exception {
    assumeSo(Files.isReadable(Path.of("/dev/net/tun")), "there is no /dev/net/tun");
    runInNamespace("tun");
  }

  @Test
  void withoutTheCapability_itIsNamed() throws Exception {
    Kernel forbids =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public int open(MemorySegment path, int flags, int mode) {
            return super.open(MemorySegment.ofAddress(DEV_NULL.address()), flags, mode);
          }

          @Override
          public int ioctl(int fd, long request, MemorySegment argument) {
            return -Errno.EPERM;
          }
        };
    try (Scheduler s = Scheduler.builder().kernel(forbids).onUncaught((f, t) -> {}).build()) {
      assertThatThrownBy(() -> Place.in(s, () -> Tun.open(Tun.Kind.TUN, "x")))
          .hasMessage("ioctl TUNSETIFF x (needs CAP_NET_ADMIN): EPERM (Operation not permitted)");
    }
    assertThatThrownBy(() -> Tun.open(Tun.Kind.TUN, "a name that is long"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static final MemorySegment DEV_NULL =
      java.lang.foreign.Arena.global().allocateFrom("/dev/null");
}
