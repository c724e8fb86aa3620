package dev.fdfiber.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

/**
 * Servers under load: each in a process of its own, the load in another, by a C program that keeps
 * a number of connections busy and reads the server's CPU clock. Nothing is pinned to a CPU.
 */
final class Loads {
  private Loads() {}

  /** The peers' servers for a protocol, in one setting. */
  static List<Entry> entries(Protocol protocol, String setting, int connections, int idle) {
    if (!CProgram.isPossible()) {
      return List.of(); // the load is a C program
    }
    Load load = new Load(protocol, setting, connections, idle);
    List<Entry> entries = new ArrayList<>();
    entries.add(load.on(Peers.FDFIBER_CHANNEL, "channel", List.of()));
    entries.add(load.on(Peers.FDFIBER_SOCK, "sock", List.of()));
    entries.add(load.on(Peers.VIRTUAL, "virtual", List.of()));
    entries.add(load.on(Peers.VIRTUAL_ONE, "virtual", Jvm.ONE_CARRIER));
    entries.add(load.on(Peers.NIO, "nio", List.of()));
    entries.add(load.on(Peers.NETTY, "netty", List.of()));
    if (protocol == Protocol.HTTP) {
      entries.add(load.on(Peers.NETTY_CODEC, "netty-codec", List.of()));
    }
    entries.add(load.onC());
    return entries;
  }

  /** What each server has to bear. */
  private record Load(Protocol protocol, String setting, int connections, int idle) {
    Entry on(String peer, String server, List<String> jvmFlags) {
      return on(peer, () -> Jvm.command(jvmFlags, ServerProgram.class, List.of(server, word())));
    }

    Entry onC() {
      return on(Peers.C, () -> List.of(CProgram.compiled("server").toString(), word()));
    }

    private Entry on(String peer, Callable<List<String>> server) {
      return new Entry(setting, peer, pace -> sample(server.call(), pace));
    }

    private String word() {
      return protocol.name().toLowerCase(Locale.ROOT);
    }

    /** Nanoseconds of the server's CPU for each answer. */
    private double sample(List<String> server, Pace pace) throws Exception {
      try (ServerProcess process = ServerProcess.start(server)) {
        List<String> command =
            List.of(
                CProgram.compiled("load").toString(),
                word(),
                Integer.toString(process.port()),
                Long.toString(process.process().pid()),
                Integer.toString(connections),
                Integer.toString(idle),
                Integer.toString(pace.serverWarmUpMillis),
                Integer.toString(pace.serverMeasureMillis));
        return Double.parseDouble(Commands.output(command).lines().findFirst().orElseThrow());
      }
    }
  }
}
