package dev.fdfiber.examples.fds;

import dev.fdfiber.fd.Command;
import dev.fdfiber.fd.PidFd;
import dev.fdfiber.fd.Tun;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A network of machines that are not there, and answer pings: [10.55.0.1/24]. Needs root. */
public final class PingResponder {
  public static void main(String[] args) throws IOException {
    String network = args.length > 0 ? args[0] : "10.55.0.1/24";
    try (Tun tun = Tun.open(Tun.Kind.TUN, "ping%d")) {
      run("ip", "addr", "add", network, "dev", tun.name());
      run("ip", "link", "set", tun.name(), "up");
      System.out.println("ping any address of " + network + ", such as 10.55.0.7");
      ByteBuffer packet = ByteBuffer.allocate(65_536);
      while (tun.channel().read(packet.clear()) >= 0) {
        packet.flip();
        int icmp = (packet.get(0) & 15) * 4;
        if (packet.get(0) >> 4 == 4 && packet.get(9) == 1 && packet.get(icmp) == 8) {
          int from = packet.getInt(12);
          packet.putInt(12, packet.getInt(16)).putInt(16, from).put(icmp, (byte) 0);
          int sum = Short.toUnsignedInt(packet.getShort(icmp + 2)) + 0x800; // 8 became 0
          packet.putShort(icmp + 2, (short) (sum + (sum >> 16)));
          tun.channel().write(packet);
        }
      }
    }
  }

  private static void run(String... words) throws IOException {
    try (PidFd child = PidFd.spawn(Command.of(words))) {
      System.out.println(String.join(" ", words) + ": " + child.await());
    }
  }
}
