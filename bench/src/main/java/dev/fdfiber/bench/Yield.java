package dev.fdfiber.bench;

import dev.fdfiber.Scheduler;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What does it cost to let the others go first? Many fibers that do nothing else. */
public final class Yield implements Question {
  private static final int YIELDS = 1_000_000; // by all together, so that starting them is nothing

  private static final List<Integer> COUNTS = List.of(2, 100, 10_000);

  private static String setting(int count) {
    return "%,d fibers".formatted(count);
  }

  @Override
  public String name() {
    return "yield";
  }

  @Override
  public String title() {
    return "Let the others go first";
  }

  @Override
  public String unit() {
    return "ns per yield";
  }

  @Override
  public List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    for (int count : COUNTS) {
      String setting = setting(count);
      Map<String, String> parameters = Map.of("count", Integer.toString(count));
      entries.add(new Entry(setting, Peers.FDFIBER, Jmh.of(OfFibers.class, parameters)));
      entries.add(new Entry(setting, Peers.VIRTUAL, Jmh.of(OfThreads.class, parameters)));
      entries.add(
          new Entry(
              setting, Peers.VIRTUAL_ONE, Jmh.of(OfThreads.class, parameters, Jvm.ONE_CARRIER)));
    }
    return entries;
  }

  @Override
  public List<Goal> goals() {
    List<Goal> goals = new ArrayList<>();
    for (int count : COUNTS) {
      String setting = setting(count);
      goals.add(
          Goal.ratio(
              Entry.key(setting, Peers.FDFIBER), Entry.key(setting, Peers.VIRTUAL_ONE), 0.9));
    }
    return goals;
  }

  /** Fibers that call {@code Scheduler.pause(0)}. */
  @State(Scope.Thread)
  @BenchmarkMode(Mode.AverageTime)
  @OutputTimeUnit(TimeUnit.NANOSECONDS)
  public static class OfFibers {
    @Param("2")
    public int count;

    private final Scheduler scheduler = Scheduler.create();

    final Scheduler scheduler() {
      return scheduler;
    }

    @Benchmark
    @OperationsPerInvocation(YIELDS)
    public void yields() {
      int each = YIELDS / count;
      for (int i = 0; i < count; i++) {
        scheduler.spawn(() -> {
          for (int k = 0; k < each; k++) {
            Scheduler.pause(0);
          }
        });
      }
      scheduler.run();
    }
  }

  /** Virtual threads that call {@code Thread.yield()}. */
  @State(Scope.Thread)
  @BenchmarkMode(Mode.AverageTime)
  @OutputTimeUnit(TimeUnit.NANOSECONDS)
  public static class OfThreads {
    @Param("2")
    public int count;

    @Benchmark
    @OperationsPerInvocation(YIELDS)
    public void yields() throws InterruptedException {
      int each = YIELDS / count;
      CountDownLatch ended = new CountDownLatch(count);
      Thread starter =
          Thread.startVirtualThread(() -> {
            for (int i = 0; i < count; i++) {
              Thread.startVirtualThread(() -> {
                for (int k = 0; k < each; k++) {
                  Thread.yield();
                }
                ended.countDown();
              });
            }
          });
      starter.join();
      ended.await();
    }
  }
}
