package dev.fdfiber.bench;

import java.util.ArrayList;
import java.util.List;

/** What does the smallest request cost an HTTP server? Kept-alive connections, few and many. */
final class Http implements Question {
  private static final List<Integer> CONNECTIONS = List.of(64, 1_000);

  @Override
  public String name() {
    return "http";
  }

  @Override
  public String title() {
    return "HTTP hello";
  }

  @Override
  public String unit() {
    return "ns of the server's CPU per request";
  }

  @Override
  public List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    for (int connections : CONNECTIONS) {
      entries.addAll(Loads.entries(Protocol.HTTP, setting(connections), connections, 0));
    }
    return entries;
  }

  private static String setting(int connections) {
    return "%,d connections".formatted(connections);
  }

  @Override
  public List<Goal> goals() {
    List<Goal> goals = new ArrayList<>();
    for (int connections : CONNECTIONS) {
      String setting = setting(connections);
      String ours = Entry.key(setting, Peers.FDFIBER_CHANNEL);
      goals.add(Goal.ratio(ours, Entry.key(setting, Peers.NETTY), 1.0));
      goals.add(Goal.ratio(ours, Entry.key(setting, Peers.C), 1.2));
    }
    return goals;
  }
}
