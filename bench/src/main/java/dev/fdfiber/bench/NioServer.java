package dev.fdfiber.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.function.Consumer;

/**
 * Callbacks of one Selector. Answers here are smaller than a socket's buffer and clients wait for
 * them, so a write always fits; one that does not spins, which no measurement has met.
 */
final class NioServer implements Server {
  private final Protocol protocol;
  private final ServerSocketChannel listener = ServerSocketChannel.open();
  private final Selector selector = Selector.open();

  NioServer(Protocol protocol) throws IOException {
    this.protocol = protocol;
    listener.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), BACKLOG);
    listener.configureBlocking(false);
    listener.register(selector, SelectionKey.OP_ACCEPT);
  }

  @Override
  public int port() {
    return listener.socket().getLocalPort();
  }

  @Override
  public void serve() throws IOException {
    Consumer<SelectionKey> callback = this::call;
    while (true) {
      selector.select(callback);
    }
  }

  private void call(SelectionKey key) {
    try {
      if (key.channel() == listener) {
        acceptAll();
      } else {
        converse((SocketChannel) key.channel(), (ByteBuffer) key.attachment());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void acceptAll() throws IOException {
    SocketChannel connection;
    while ((connection = listener.accept()) != null) {
      connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
      connection.configureBlocking(false);
      ByteBuffer in = ByteBuffer.allocateDirect(Protocol.BUFFER);
      connection.register(selector, SelectionKey.OP_READ, in);
    }
  }

  private void converse(SocketChannel connection, ByteBuffer in) throws IOException {
    int n = connection.read(in);
    if (n < 0) {
      connection.close();
    } else if (n > 0) {
      protocol.answer(in, connection);
    }
  }
}
