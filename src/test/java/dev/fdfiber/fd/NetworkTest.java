package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.Scheduler;
import dev.fdfiber.Tools;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Place;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Links, addresses and devices, in a JVM that has a network namespace of its own. */
@FdTest(limitSeconds = 300)
@ExtendWith(LeftBehind.class)
class NetworkTest {

  /** What runs in the namespace; what goes wrong ends it with a stack trace. */
  static final class Program {
    public static void main(String[] args) throws Exception {
      for (Where where : Where.all()) {
        where.run(args[0].equals("netlink") ? Program::netlink : Program::tun);
      }
      System.out.println("all is well");
    }

    static void netlink() throws Exception {
      try (Netlink netlink = Netlink.open()) {
        Where.assertCancellable(netlink::next);
        List<Netlink.Event> before = snapshot(netlink);
        while (netlink.next(Duration.ZERO).isPresent()) {}
        Row.ip(
            "link add va type veth peer name vb",
            "addr add 10.9.0.1/24 dev va",
            "link set va up",
            "link set vb up");
        List<Netlink.Event> events = new ArrayList<>();
        do { // a worker of the kernel's tells this one, and its removal may come first
          events.add(netlink.next(Duration.ofSeconds(30)).orElseThrow());
        } while (!(events.getLast()
                instanceof Netlink.LinkChanged(int _, String link, boolean _, boolean running)
            && link.equals("va")
            && running));
        Row.ip("addr del 10.9.0.1/24 dev va", "link del va");
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
        Row.ip(many.toArray(new String[0]));
        Netlink.Event event;
        do {
          event = netlink.next(Duration.ofSeconds(30)).orElseThrow();
        } while (!(event instanceof Netlink.Resync));
        assertThat(netlink.next(Duration.ZERO)).as("what was queued before the loss").isEmpty();
        assertThat(netlink.snapshot()).isEqualTo(before);
        Where.assertWokenByClose(netlink::next, netlink);
        assertThatThrownBy(netlink::snapshot).isInstanceOf(ClosedChannelException.class);
      }
    }

    /** What is there before anything changes, and after a resync. */
    private static List<Netlink.Event> snapshot(Netlink netlink) throws Exception {
      Row.ip(
          "link add vs type veth peer name vt",
          "addr add 10.9.1.1/24 dev vs",
          "addr add 2001:db8::1/64 dev vs nodad",
          "link set vs up");
      List<Netlink.Event> all = netlink.snapshot();
      int index = index("vs", all);
      assertThat(all)
          .contains(
              new Netlink.LinkChanged(index, "vs", true, false),
              new Netlink.AddressAdded(index, InetAddress.ofLiteral("10.9.1.1"), 24),
              new Netlink.AddressAdded(index, InetAddress.ofLiteral("2001:db8::1"), 64))
          .anyMatch(e -> e instanceof Netlink.LinkChanged link && link.name().equals("lo"))
          .allMatch(e -> e instanceof Netlink.LinkChanged || e instanceof Netlink.AddressAdded);
      Row.ip("link del vs");
      List<Netlink.Event> after = netlink.snapshot();
      assertThat(after).noneMatch(e -> e instanceof Netlink.AddressAdded a && a.index() == index);
      return after;
    }

    private static int index(String name, List<Netlink.Event> all) {
      return all.stream()
          .filter(e -> e instanceof Netlink.LinkChanged link && link.name().equals(name))
          .map(e -> ((Netlink.LinkChanged) e).index())
          .findFirst()
          .orElseThrow();
    }

    static void tun() throws Exception {
      try (Tun tun = Tun.open(Tun.Kind.TUN, "ft%d");
          UdpSocket socket = UdpSocket.open(StandardProtocolFamily.INET)) {
        assertThat(tun.name()).isEqualTo("ft0");
        assertThat(Opened.isCloseOnExec(tun.fd())).isTrue();
        Where.assertCancellable(() -> tun.channel().read(ByteBuffer.allocate(1)));
        Row.ip("addr add 10.8.0.1/24 dev ft0", "link set ft0 up");
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

  static void runInNamespace(Class<?> main, String... what) throws Exception {
    String unshare = Tools.require("unshare").toString();
    Tools.require("ip");
    try (PidFd trial = PidFd.spawn(Command.of(unshare, "-n", "true"))) {
      assumeSo(trial.await().equals(new PidFd.Exited(0)), "no network namespace is permitted here");
    }
    List<String> words = new ArrayList<>(List.of(unshare, "-n"));
    words.addAll(FdJvm.words(main, what));
    FdJvm.assertWell(Command.of(words));
  }

  static void requireTun() {
    assumeSo(Files.isReadable(Path.of("/dev/net/tun")), "there is no /dev/net/tun to open");
  }

  /** A machine that does not permit something is not to blame, as one without a tool is. */
  private static void assumeSo(boolean condition, String otherwise) {
    if (!condition) {
      System.out.println("A test is skipped: " + otherwise + ".");
      Assumptions.abort(otherwise);
    }
  }

  @Test
  @Tag("slow")
  void netlink_tellsLinksAndAddresses_andWhenToResync() throws Exception {
    runInNamespace(Program.class, "netlink");
  }

  @Test
  @Tag("slow")
  void tun_carriesPackets() throws Exception {
    requireTun();
    runInNamespace(Program.class, "tun");
  }

  @Test
  @Tag("slow")
  void netlinkAndTun_keepToTheContractOfAllTypes() throws Exception {
    requireTun();
    runInNamespace(FdJvm.Contract.class, NetworkContract.class.getName());
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
      java.lang.foreign.Arena.ofAuto().allocateFrom("/dev/null");
}
