package dev.fdfiber.bench;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import java.io.IOException;

/** A fiber for each connection; how it converses is the subclass's. */
abstract class FiberServer implements Server {
  final Protocol protocol;
  private final int listener = Sock.listen("127.0.0.1", 0, false, BACKLOG);

  FiberServer(Protocol protocol) throws IOException {
    this.protocol = protocol;
  }

  /** Serves a connection to its end, and closes it. */
  abstract void converse(int fd) throws IOException;

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
          int fd = Sock.accept(listener);
          scheduler.spawn(() -> converse(fd));
        }
      });
      scheduler.run();
    }
  }
}
