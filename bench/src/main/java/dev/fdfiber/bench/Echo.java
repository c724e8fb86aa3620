package dev.fdfiber.bench;

import java.util.List;

/** What does a small message cost a TCP server? 64 connections, 64 bytes there and back. */
final class Echo implements Question {
  @Override
  public String name() {
    return "echo";
  }

  @Override
  public String title() {
    return "TCP echo with 64 connections";
  }

  @Override
  public String unit() {
    return "ns of the server's CPU per message";
  }

  @Override
  public List<Entry> entries() {
    return Loads.entries(Protocol.ECHO, "", 64, 0);
  }

  @Override
  public List<Goal> goals() {
    return List.of(
        Goal.ratio(Peers.FDFIBER_CHANNEL, Peers.NETTY, 1.0),
        Goal.ratio(Peers.FDFIBER_CHANNEL, Peers.C, 1.2));
  }
}
