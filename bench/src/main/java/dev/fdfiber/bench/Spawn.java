package dev.fdfiber.bench;

import dev.fdfiber.Scheduler;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What does a fiber cost that does nothing? Its parent starts a thousand and waits for them. */
public final class Spawn implements Question {
  private static final int ROUNDS = 100;
  private static final int CHILDREN = 1_000;
  private static final int SPAWNS = ROUNDS * CHILDREN;

  @Override
  public String name() {
    return "spawn";
  }

  @Override
  public String title() {
    return "Spawn a fiber that ends at once";
  }

  @Override
  public String unit() {
    return "ns per fiber";
  }

  @Override
  public List<Entry> entries() {
    return List.of(
        new Entry("", Peers.FDFIBER, Jmh.of(OfFibers.class, Map.of())),
        new Entry("", Peers.VIRTUAL, Jmh.of(OfThreads.class, Map.of())),
        new Entry("", Peers.VIRTUAL_ONE, Jmh.of(OfThreads.class, Map.of(), Jvm.ONE_CARRIER)));
  }

  @Override
  public List<Goal> goals() {
    return List.of(Goal.ratio(Peers.FDFIBER, Peers.VIRTUAL_ONE, 1.0));
  }

  /** Fibers of {@code Scheduler.spawn}. */
  @State(Scope.Thread)
  @BenchmarkMode(Mode.AverageTime)
  @OutputTimeUnit(TimeUnit.NANOSECONDS)
  public static class OfFibers {
    private final Scheduler scheduler = Scheduler.create();

    @Benchmark
    @OperationsPerInvocation(SPAWNS)
    public void spawns() {
      scheduler.spawn(() -> {
        for (int round = 0; round < ROUNDS; round++) {
          CountDownLatch ended = new CountDownLatch(CHILDREN);
          for (int i = 0; i < CHILDREN; i++) {
            scheduler.spawn(ended::countDown);
          }
          ended.await();
        }
      });
      scheduler.run();
    }
  }

  /** Threads of {@code Thread.startVirtualThread}. */
  @State(Scope.Thread)
  @BenchmarkMode(Mode.AverageTime)
  @OutputTimeUnit(TimeUnit.NANOSECONDS)
  public static class OfThreads {
    @Benchmark
    @OperationsPerInvocation(SPAWNS)
    public void spawns() throws InterruptedException {
      Thread parent =
          Thread.startVirtualThread(() -> {
            for (int round = 0; round < ROUNDS; round++) {
              CountDownLatch ended = new CountDownLatch(CHILDREN);
              for (int i = 0; i < CHILDREN; i++) {
                Thread.startVirtualThread(ended::countDown);
              }
              await(ended);
            }
          });
      parent.join();
    }

    private static void await(CountDownLatch ended) {
      try {
        ended.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
