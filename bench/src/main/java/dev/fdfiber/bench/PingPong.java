package dev.fdfiber.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What does a wait cost? Two fibers pass a byte to and fro over two pipes, so each trip is two
 * writes, two waits and two reads; beside them others wait for pipes where nothing ever comes.
 */
public final class PingPong implements Question {
  /** How many an invocation makes; few, because poll(2) beside thousands is slow. */
  static final int TRIPS = 200;

  private static final List<String> IDLE = List.of("0", "1000", "9000");

  @Override
  public String name() {
    return "pingpong";
  }

  @Override
  public String title() {
    return "One byte to and fro over two pipes";
  }

  @Override
  public String unit() {
    return "ns per round trip";
  }

  @Override
  public List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    for (String idle : IDLE) {
      String setting = setting(idle);
      fiberEntries(idle, setting, entries);
      Map<String, String> parameters = Map.of("idle", idle);
      entries.add(new Entry(setting, Peers.VIRTUAL, Jmh.of(PingPongThreads.class, parameters)));
      entries.add(
          new Entry(
              setting,
              Peers.VIRTUAL_ONE,
              Jmh.of(PingPongThreads.class, parameters, Jvm.ONE_CARRIER)));
      entries.add(new Entry(setting, Peers.NIO, Jmh.of(PingPongNio.class, parameters)));
      if (CProgram.isPossible()) {
        entries.add(new Entry(setting, Peers.C_WAIT_FIRST, CProgram.of("pingpong", "wait", idle)));
        entries.add(new Entry(setting, Peers.C_READ_FIRST, CProgram.of("pingpong", "read", idle)));
      }
    }
    return entries;
  }

  private static void fiberEntries(String idle, String setting, List<Entry> entries) {
    for (String poller : Fibers.pollers()) {
      boolean isDefault = poller.equals(Fibers.DEFAULT);
      if (!isDefault && !idle.equals("0") && !(poller.equals("EPOLL") && idle.equals("9000"))) {
        continue; // the default is epoll there, and poll(2) takes a millisecond
      }
      Map<String, String> parameters = Map.of("idle", idle, "poller", poller);
      entries.add(
          new Entry(
              setting,
              Peers.FDFIBER_IO_WAIT + Fibers.suffix(poller),
              Jmh.of(PingPongFibers.ByIoWait.class, parameters)));
      if (isDefault || idle.equals("0")) {
        entries.add(
            new Entry(
                setting,
                Peers.FDFIBER_CHANNEL + Fibers.suffix(poller),
                Jmh.of(PingPongFibers.ByChannel.class, parameters)));
      }
    }
  }

  private static String setting(String idle) {
    return idle.equals("0") ? "no idle waits" : "%,d idle waits".formatted(Integer.valueOf(idle));
  }

  @Override
  public List<Goal> goals() {
    String none = setting("0");
    String many = setting("9000");
    List<Goal> goals = new ArrayList<>();
    for (String peer : List.of(Peers.FDFIBER_CHANNEL, Peers.FDFIBER_IO_WAIT)) {
      goals.add(Goal.ratio(Entry.key(none, peer), Entry.key(none, Peers.NIO), 1.0));
      // FdChannel learns to wait first here; a raw wait comes before the read by its nature
      goals.add(Goal.ratio(Entry.key(none, peer), Entry.key(none, Peers.C_WAIT_FIRST), 1.3));
      double limit = peer.equals(Peers.FDFIBER_CHANNEL) ? 1.05 : 1.1;
      goals.add(Goal.ratio(Entry.key(many, peer), Entry.key(none, peer), limit));
    }
    return goals;
  }
}
