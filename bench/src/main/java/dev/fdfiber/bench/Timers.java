package dev.fdfiber.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * What does a timer cost? A hundred thousand fibers sleep for 1 to 100 ms each, all at once, and
 * end. Counted is the CPU time of the process, of whichever of its threads, as nobody is in a
 * hurry.
 */
final class Timers implements Question {
  private static final int TIMERS = 100_000;

  @Override
  public String name() {
    return "timers";
  }

  @Override
  public String title() {
    return "100,000 timers of 1 to 100 ms";
  }

  @Override
  public String unit() {
    return "ns of CPU per timer";
  }

  @Override
  public List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    entries.add(new Entry("", Peers.FDFIBER, timers(List.of(), "fdfiber")));
    entries.add(new Entry("", Peers.VIRTUAL, timers(List.of(), "virtual")));
    entries.add(new Entry("", Peers.VIRTUAL_ONE, timers(Jvm.ONE_CARRIER, "virtual")));
    entries.add(new Entry("", Peers.NETTY, timers(List.of(), "netty")));
    if (CProgram.isPossible()) {
      entries.add(new Entry("", Peers.C, CProgram.of("timers", Integer.toString(TIMERS))));
    }
    return entries;
  }

  private static Entry.Sampler timers(List<String> flags, String peer) {
    return Program.of(flags, TimersProgram.class, peer, Integer.toString(TIMERS));
  }

  @Override
  public List<Goal> goals() {
    return List.of(
        Goal.ratio(Peers.FDFIBER, Peers.VIRTUAL, 0.75),
        Goal.ratio(Peers.FDFIBER, Peers.VIRTUAL_ONE, 0.75));
  }
}
