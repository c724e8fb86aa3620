package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Leaks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * R19 and R22: a wait for which the stack does not suffice is an error of that fiber alone.
 *
 * <p>In a JVM of its own: now and then JDK 25 itself crashes when it resumes a virtual thread for
 * whose frames the carrier's stack has no room.
 */
@ExtendWith(Leaks.class)
@Timeout(60)
@Tag("slow")
class StackOverflowTest {
  private static final long TIME_NANOS = 2_000_000_000L;
  private static final long GIVE_UP_NANOS = 5_000_000_000L;
  private static final int ROUNDS = 3_000;
  private static final long SMALL_STACK = 256 * 1024L;

  @TempDir private Path directory;

  private int depth;
  private int overflows;
  private final int[] turns = new int[3];
  private boolean over;

  /** Drives in a thread with a small stack, which is what its fibers use. */
  private void inSmallStack(String kind) throws Exception {
    FutureTask<Void> task =
        new FutureTask<>(() -> {
          try (Scheduler s = Scheduler.create();
              Fds.Pair pipe = Fds.pipe()) {
            Fds.write(pipe.b(), "x");
            deepFibers(s, wait(kind, pipe));
            assertThat(s.anyIoWaiter()).isFalse();
          }
          return null;
        });
    Thread thread = new Thread(null, task, "small stack", SMALL_STACK);
    thread.start();
    task.get();
    thread.join();
  }

  private int probe(int n) {
    depth = n;
    return probe(n + 1) + 1;
  }

  private int descend(int n, FiberBody wait) throws Exception {
    if (n <= 0) {
      wait.run();
      return 0;
    }
    return descend(n - 1, wait) + 1;
  }

  /** Calls it with ever less stack left, in one fiber after the other. */
  private void deepFibers(Scheduler s, FiberBody wait) {
    s.spawn(() -> {
      wait.run(); // loads what it needs
      for (int i = 0; i < 20; i++) {
        try {
          probe(0);
        } catch (StackOverflowError e) {
          assertThat(depth).isPositive();
        }
      }
    });
    s.run();
    int top = depth;
    List<Fiber> others = spawnOthers(s);
    long start = System.nanoTime();
    int rounds = 0;
    for (; rounds < ROUNDS && System.nanoTime() - start < TIME_NANOS; rounds++) {
      // From two thirds of the depth to beyond it, in steps that meet each frame of the wait.
      int level = Math.max(1, top * 2 / 3 + (int) ((long) top * (rounds * 997L % ROUNDS) / 8_000));
      round(s, wait, level, rounds);
    }
    over = true;
    s.run();
    assertThat(others).allMatch(f -> f.failure().isEmpty());
    System.out.println(rounds + " rounds, " + overflows + " overflows");
    assertThat(overflows).isPositive();
  }

  private List<Fiber> spawnOthers(Scheduler s) {
    List<Fiber> others = new ArrayList<>();
    others.add(s.spawn("pauser", () -> turn(0, () -> Scheduler.pause(0.0001))));
    others.add(s.spawn("yielder", () -> turn(1, Thread::yield)));
    others.add(s.spawn("sleeper", () -> turn(2, () -> Thread.sleep(0, 100_000))));
    return others;
  }

  private void turn(int which, FiberBody wait) throws Exception {
    while (!over) {
      turns[which]++;
      wait.run();
    }
  }

  /** Ticks for as long as it is so, and gives up after a while. */
  private static void tickWhile(Scheduler s, BooleanSupplier condition) {
    long start = System.nanoTime();
    while (condition.getAsBoolean() && System.nanoTime() - start < GIVE_UP_NANOS) {
      s.tick(10);
    }
  }

  private void round(Scheduler s, FiberBody wait, int level, int number) {
    Fiber deep =
        s.spawn(
            "deep",
            () -> {
              try {
                descend(level, wait);
              } catch (StackOverflowError e) {
                overflows++;
              }
              Thread.yield(); // what the failed wait left behind would cost this turn
              Scheduler.pause(0.0001);
              Scheduler.pause(0.0001);
            });
    int[] before = turns.clone();
    tickWhile(s, deep::isAlive);
    String where = "round " + number + ", depth " + level + "\n" + s.dump();
    assertThat(deep.isAlive()).as(where).isFalse();
    assertThat(deep.failure()).as(where).isEmpty();
    for (int i = 0; i < turns.length; i++) {
      int last = before[i];
      int which = i;
      tickWhile(s, () -> turns[which] == last);
      assertThat(turns[which]).as("turns of another, %d, %s", which, where).isGreaterThan(last);
    }
  }

  private static FiberBody wait(String kind, Fds.Pair pipe) {
    return switch (kind) {
      case "pause" -> () -> Scheduler.pause(0.0001);
      case "yield" -> () -> Scheduler.pause(0);
      default -> () -> Scheduler.ioWait(pipe.a(), READ, -1);
    };
  }

  /** The program that the test runs in a JVM of its own. */
  public static void main(String[] args) throws Exception {
    new StackOverflowTest().inSmallStack(args[0]);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pause", "yield", "ioWait"})
  void r19_overflowNearAWait_leavesTheSchedulerAndTheOthers(String wait) throws Exception {
    for (int attempt = 1; attempt <= 5; attempt++) {
      ChildJvm.Result result = run(wait);
      if (result.out().contains("A fatal error has been detected by the Java Runtime")) {
        System.out.println("StackOverflowTest: the JVM itself crashed, attempt " + attempt);
        continue;
      }
      assertThat(result.errors()).isEmpty();
      assertThat(result.out()).contains(" overflows");
      assertThat(result.status()).isZero();
      System.out.print("StackOverflowTest " + wait + ": " + result.out());
      return;
    }
    Assumptions.abort("this JVM crashes where a fiber fills the stack");
  }

  private ChildJvm.Result run(String wait) throws Exception {
    List<String> flags = new ArrayList<>(ChildJvm.FIBER_FLAGS);
    flags.add("-XX:ErrorFile=" + directory.resolve("crash"));
    flags.add("-XX:-CreateCoredumpOnCrash");
    return new ChildJvm(flags).run(directory, StackOverflowTest.class.getName(), wait);
  }
}
