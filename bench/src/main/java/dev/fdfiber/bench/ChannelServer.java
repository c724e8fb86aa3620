package dev.fdfiber.bench;

import dev.fdfiber.FdChannel;
import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import java.io.IOException;

/** A fiber for each connection, an FdChannel that owns it. */
final class ChannelServer implements Server {
  private final Protocol protocol;
  private final int listener = Sock.listen("127.0.0.1", 0, false, BACKLOG);

  ChannelServer(Protocol protocol) throws IOException {
    this.protocol = protocol;
  }

  @Override
  public int port() {
    try {
      return Sock.localPort(listener);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void serve() {
    try (Scheduler scheduler = Scheduler.create()) {
      scheduler.spawn(() -> {
        while (true) {
          FdChannel connection = FdChannel.own(Sock.accept(listener));
          scheduler.spawn(() -> {
            try (connection) {
              protocol.converse(connection);
            }
          });
        }
      });
      scheduler.run();
    }
  }
}
