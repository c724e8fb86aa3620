package dev.fdfiber.bench;

import java.util.ArrayList;
import java.util.List;

/** How much memory does a fiber hold that does nothing but wait? */
final class Memory implements Question {
  /**
   * Frames of the interpreter are twice as large, and a warm-up should not race to be rid of them.
   */
  private static final String COMPILE_AT_ONCE = "-Xbatch";

  private static final String PARKED = "100,000 parked";
  private static final String MILLION = "1,000,000 parked, in 1 GB";
  private static final String WAITING = "9,000 wait for descriptors";
  private static final String OFF_HEAP = "9,000 wait for descriptors, off-heap";

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public String title() {
    return "Memory of a fiber that waits";
  }

  @Override
  public String unit() {
    return "bytes per fiber";
  }

  @Override
  public List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    entries.add(new Entry(PARKED, Peers.FDFIBER, heap("pause", 100_000)));
    entries.add(new Entry(PARKED, Peers.VIRTUAL, heap("park", 100_000)));
    entries.add(new Entry(MILLION, Peers.FDFIBER, heap("pause", 1_000_000)));
    entries.add(new Entry(MILLION, Peers.VIRTUAL, heap("park", 1_000_000)));
    entries.add(new Entry(WAITING, Peers.FDFIBER_IO_WAIT, heap("ioWait", 9_000)));
    entries.add(new Entry(WAITING, Peers.FDFIBER_CHANNEL, heap("channel", 9_000)));
    entries.add(new Entry(WAITING, Peers.VIRTUAL, heap("read", 9_000)));
    entries.add(new Entry(OFF_HEAP, Peers.FDFIBER_IO_WAIT, offHeap("ioWait")));
    entries.add(new Entry(OFF_HEAP, Peers.FDFIBER_CHANNEL, offHeap("channel")));
    return entries;
  }

  private static Entry.Sampler heap(String how, int count) {
    return Program.of(
        List.of(COMPILE_AT_ONCE, "-XX:+ExitOnOutOfMemoryError"),
        MemoryProgram.class,
        "heap",
        how,
        Integer.toString(count));
  }

  private static Entry.Sampler offHeap(String how) {
    List<String> flags = List.of(COMPILE_AT_ONCE, "-XX:NativeMemoryTracking=summary");
    return Program.of(flags, MemoryProgram.class, "off-heap", how, "9000");
  }

  @Override
  public List<Goal> goals() {
    return List.of(
        Goal.absolute(Entry.key(PARKED, Peers.FDFIBER), 800),
        Goal.absolute(Entry.key(MILLION, Peers.FDFIBER), 1 << 10),
        Goal.absolute(Entry.key(OFF_HEAP, Peers.FDFIBER_IO_WAIT), 150),
        Goal.absolute(Entry.key(OFF_HEAP, Peers.FDFIBER_CHANNEL), 150));
  }
}
