package dev.fdfiber.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** A virtual thread for each connection, and channels that block. */
final class ThreadServer implements Server {
  private final Protocol protocol;
  private final ServerSocketChannel listener = ServerSocketChannel.open();

  ThreadServer(Protocol protocol) throws IOException {
    this.protocol = protocol;
    listener.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), BACKLOG);
  }

  @Override
  public int port() {
    return listener.socket().getLocalPort();
  }

  @Override
  public void serve() throws InterruptedException {
    Thread.ofVirtual().start(this::acceptAll).join();
  }

  private void acceptAll() {
    try {
      while (true) {
        SocketChannel connection = listener.accept();
        connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
        Thread.startVirtualThread(() -> converse(connection));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void converse(SocketChannel connection) {
    try (connection) {
      protocol.converse(connection);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
