package dev.fdfiber.examples.fds;

import dev.fdfiber.Scheduler;
import dev.fdfiber.fd.SocketPair;
import dev.fdfiber.fd.UnixAddress;
import dev.fdfiber.fd.UnixSocket;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Two who do not know each other ask a broker, and get the ends of a socket pair: NAME. */
public final class Broker {
  public static void main(String[] args) throws IOException {
    UnixAddress name = UnixAddress.ofAbstract(args[0]);
    try (Scheduler scheduler = Scheduler.create();
        UnixSocket broker = UnixSocket.listen(name)) {
      scheduler.spawn("client 1", () -> talk(name, new byte[] {42}));
      scheduler.spawn("client 2", () -> talk(name, new byte[] {43}));
      try (SocketPair pair = SocketPair.open()) {
        scheduler.spawn(
            "broker",
            () -> {
              for (int end : new int[] {pair.firstFd(), pair.secondFd()}) {
                try (UnixSocket client = broker.accept()) {
                  client.send(ByteBuffer.allocate(1), end);
                }
              }
            });
        scheduler.run();
      }
    }
  }

  private static void talk(UnixAddress broker, byte[] mine) throws IOException {
    try (UnixSocket asks = UnixSocket.connect(broker);
        UnixSocket other = UnixSocket.own(asks.receive(1).fds().getFirst())) {
      other.send(ByteBuffer.wrap(mine));
      System.out.println("sent " + mine[0] + ", got " + other.receive(1).bytes().get(0));
    }
  }
}
