package dev.fdfiber.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What does a wake-up cost when many come at once? A thousand pipes get a byte each, one after the
 * other, before anybody looks; then each is read by who waits for it.
 *
 * <p>A JVM replaces the code of a loop that is already running once in some thousand turns, and in
 * one fiber or thread at a time. So of a thousand that began before the compiler had come, many go
 * on in slower code for seconds; whoever begins later runs the compiler's from the start. Each
 * iteration has new readers, then, as a server has new connections.
 */
public final class Ready implements Question {
  static final int PIPES = 1_000;

  @Override
  public String name() {
    return "ready";
  }

  @Override
  public String title() {
    return "1,000 descriptors ready at once, their writes included";
  }

  @Override
  public String unit() {
    return "ns per wake-up";
  }

  @Override
  public List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    for (String poller : Fibers.pollers()) {
      Map<String, String> parameters = Map.of("poller", poller);
      entries.add(
          new Entry(
              "",
              Peers.FDFIBER_IO_WAIT + Fibers.suffix(poller),
              Jmh.of(ReadyFibers.ByIoWait.class, parameters)));
      entries.add(
          new Entry(
              "",
              Peers.FDFIBER_CHANNEL + Fibers.suffix(poller),
              Jmh.of(ReadyFibers.ByChannel.class, parameters)));
    }
    entries.add(new Entry("", Peers.VIRTUAL, Jmh.of(ReadyThreads.class, Map.of())));
    entries.add(
        new Entry("", Peers.VIRTUAL_ONE, Jmh.of(ReadyThreads.class, Map.of(), Jvm.ONE_CARRIER)));
    entries.add(new Entry("", Peers.NIO, Jmh.of(ReadyNio.class, Map.of())));
    if (CProgram.isPossible()) {
      entries.add(new Entry("", Peers.C, CProgram.of("ready", Integer.toString(PIPES))));
    }
    return entries;
  }

  @Override
  public List<Goal> goals() {
    return List.of(
        Goal.ratio(Peers.FDFIBER_CHANNEL, Peers.C, 1.3),
        Goal.ratio(Peers.FDFIBER_IO_WAIT, Peers.C, 1.3));
  }
}
