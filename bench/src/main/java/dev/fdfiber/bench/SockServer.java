package dev.fdfiber.bench;

import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** A fiber for each connection, and the calls of Sock, which take and give byte arrays. */
final class SockServer extends FiberServer {
  private static final byte[] RESPONSE = bytes(Protocol.RESPONSE.duplicate());

  SockServer(Protocol protocol) throws IOException {
    super(protocol);
  }

  private static byte[] bytes(java.nio.ByteBuffer buffer) {
    return StandardCharsets.US_ASCII.decode(buffer).toString().getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  void converse(int fd) throws IOException {
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
