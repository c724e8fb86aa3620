package dev.fdfiber.bench;

import java.io.IOException;
import java.util.Locale;

/**
 * A server of one peer on a port that it prints; it ends when its standard input does, so that it
 * never outlives who started it.
 */
final class ServerProgram {
  private ServerProgram() {}

  /** Arguments: peer, protocol. */
  public static void main(String[] args) throws IOException {
    Protocol protocol = Protocol.valueOf(args[1].toUpperCase(Locale.ROOT));
    Server server =
        switch (args[0]) {
          case "channel" -> new ChannelServer(protocol);
          case "sock" -> new SockServer(protocol);
          case "virtual" -> new ThreadServer(protocol);
          case "nio" -> new NioServer(protocol);
          case "netty" -> new NettyServer(protocol, false);
          case "netty-codec" -> new NettyServer(protocol, true);
          default -> throw new IllegalArgumentException(args[0]);
        };
    Thread.ofPlatform().name("server").daemon().start(() -> serve(server));
    System.out.println(server.port());
    while (System.in.read() >= 0) {}
    System.exit(0);
  }

  private static void serve(Server server) {
    try {
      server.serve();
    } catch (Exception e) {
      e.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }
}
