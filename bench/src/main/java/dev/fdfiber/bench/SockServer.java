package dev.fdfiber.bench;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** A fiber for each connection, and the calls of Sock, which take and give byte arrays. */
final class SockServer implements Server {
  private static final byte[] RESPONSE = bytes(Protocol.RESPONSE.duplicate());

  private final Protocol protocol;
  private final int listener = Sock.listen("127.0.0.1", 0, false, BACKLOG);

  SockServer(Protocol protocol) throws IOException {
    this.protocol = protocol;
  }

  private static byte[] bytes(java.nio.ByteBuffer buffer) {
    return StandardCharsets.US_ASCII.decode(buffer).toString().getBytes(StandardCharsets.US_ASCII);
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
          int fd = Sock.accept(listener);
          scheduler.spawn(() -> converse(fd));
        }
      });
      scheduler.run();
    }
  }

  private void converse(int fd) throws IOException {
    while (true) {
      byte[] in =
          protocol == Protocol.ECHO ? Sock.recvSome(fd, Protocol.BUFFER) : Sock.readRequest(fd);
      if (in.length == 0) {
        Sock.close(fd);
        return;
      }
      byte[] out = protocol == Protocol.ECHO ? in : RESPONSE; // nobody pipelines here
      Sock.writeBytes(fd, out, out.length);
    }
  }
}
