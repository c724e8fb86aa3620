package dev.fdfiber.bench;

import dev.fdfiber.FdChannel;
import java.io.IOException;

/** A fiber for each connection, an FdChannel that owns it. */
final class ChannelServer extends FiberServer {
  ChannelServer(Protocol protocol) throws IOException {
    super(protocol);
  }

  @Override
  void converse(int fd) throws IOException {
    try (FdChannel connection = FdChannel.own(fd)) {
      protocol.converse(connection);
    }
  }
}
