package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.TimeKernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** R2's last clause: same program, same inputs, same order; with a seed, per seed. */
@FdTest(limitSeconds = 120)
class DeterminismTest {

  @Test
  @Tag("slow")
  void r2_mixedProgram_resumesInTheSameOrderAHundredTimes() {
    List<String> first = mixedProgram(Scheduler.builder());
    assertThat(first).hasSizeGreaterThan(300);
    for (int run = 1; run < 100; run++) {
      assertThat(mixedProgram(Scheduler.builder())).as("run %d", run).isEqualTo(first);
    }
  }

  @Test
  void r2_mixedProgram_resumesInTheSameOrderWhereverItsFdsLie() {
    List<String> first = mixedProgram(Scheduler.builder());
    for (int shift = 1; shift < 8; shift++) {
      try (Fds.Pair taken = Fds.pipe()) {
        assertThat(mixedProgram(Scheduler.builder())).as("shift %d", shift).isEqualTo(first);
        assertThat(Fds.isOpen(taken.a())).isTrue();
      }
    }
  }

  @Test
  void r2_sameSeed_resumesInTheSameOrder() {
    for (long seed : new long[] {0, 1, -1, Long.MAX_VALUE}) {
      List<String> first = mixedProgram(Scheduler.builder().seed(seed));
      for (int run = 0; run < 10; run++) {
        assertThat(mixedProgram(Scheduler.builder().seed(seed)))
            .as("seed %d", seed)
            .isEqualTo(first);
      }
    }
  }

  @Test
  void r2_differentSeeds_resumeInDifferentOrders_butTheSameFibers() {
    List<String> fifo = mixedProgram(Scheduler.builder());
    Set<List<String>> orders = new HashSet<>();
    orders.add(fifo);
    for (long seed = 0; seed < 20; seed++) {
      List<String> order = mixedProgram(Scheduler.builder().seed(seed));
      assertThat(steps(order)).containsExactlyInAnyOrderElementsOf(steps(fifo));
      orders.add(order);
    }
    assertThat(orders).hasSize(21);
  }

  private static List<String> steps(List<String> log) {
    return log.stream().filter(entry -> entry.startsWith("f")).toList();
  }

  @Test
  void r2_seed_findsEveryOrderOfThree() {
    Set<List<String>> orders = new HashSet<>();
    for (long seed = 0; seed < 100; seed++) {
      List<String> log = new ArrayList<>();
      try (Scheduler scheduler = Scheduler.builder().seed(seed).build()) {
        for (String name : List.of("a", "b", "c")) {
          scheduler.spawn(() -> log.add(name));
        }
        scheduler.run();
      }
      orders.add(log);
    }
    assertThat(orders).hasSize(6);
  }

  @Test
  void r2_seed_takesTimersOfOneLookAsTies_butNotThoseOfTwo() {
    Set<List<String>> orders = new HashSet<>();
    for (long seed = 0; seed < 60; seed++) {
      ManualClock clock = new ManualClock();
      List<String> log = new ArrayList<>();
      try (Scheduler scheduler =
          Scheduler.builder().clock(clock).kernel(new TimeKernel(clock)).seed(seed).build()) {
        for (int i = 1; i <= 2; i++) {
          spawnPause(scheduler, log, i);
        }
        spawnPause(scheduler, log, 10);
        scheduler.runUntilEmpty();
        clock.advance(Duration.ofMillis(5));
        scheduler.run();
      }
      assertThat(log).hasSize(3).endsWith("10");
      orders.add(log);
    }
    assertThat(orders).hasSize(2);
  }

  private static void spawnPause(Scheduler scheduler, List<String> log, int millis) {
    scheduler.spawn(() -> {
      Scheduler.pause(Duration.ofMillis(millis));
      log.add("" + millis);
    });
  }

  /**
   * Yields, timers, pipes, socket pairs, queues and locks; what each fiber does depends on it
   * alone.
   */
  private static List<String> mixedProgram(Scheduler.Builder builder) {
    ManualClock clock = new ManualClock();
    TimeKernel kernel = new TimeKernel(clock);
    List<String> log = new ArrayList<>();
    List<Fds.Pair> pairs = new ArrayList<>();
    try (Scheduler scheduler = builder.clock(clock).kernel(kernel).build()) {
      LinkedBlockingQueue<Integer> queue = new LinkedBlockingQueue<>();
      ReentrantLock lock = new ReentrantLock();
      for (int f = 0; f < 24; f++) {
        String name = "f" + f;
        Fds.Pair pair = f % 2 == 0 ? Fds.pipe() : Fds.socketPair();
        pairs.add(pair);
        long seed = f;
        scheduler.spawn(name, () -> writer(name, new Random(seed), pair, log, queue));
        scheduler.spawn("r" + name, () -> reader("r" + name, pair, log, queue, lock));
      }
      scheduler.run();
    }
    pairs.forEach(Fds.Pair::close);
    return log;
  }

  private static void writer(
      String name,
      Random random,
      Fds.Pair pair,
      List<String> log,
      LinkedBlockingQueue<Integer> queue)
      throws Exception {
    for (int i = 0; i < 10; i++) {
      log.add(name + "." + i);
      switch (random.nextInt(4)) {
        case 0 -> Scheduler.pause(0);
        case 1 -> Scheduler.pause(random.nextInt(5) / 1000.0);
        case 2 -> queue.add(i);
        default -> Scheduler.ioWait(pair.b(), Scheduler.WRITE, 1);
      }
      Fds.write(pair.b(), "x");
    }
    Fds.close(pair.b());
  }

  private static void reader(
      String name,
      Fds.Pair pair,
      List<String> log,
      LinkedBlockingQueue<Integer> queue,
      ReentrantLock lock)
      throws Exception {
    String text = "x";
    while (!text.isEmpty()) {
      Scheduler.ioWait(pair.a(), READ, -1);
      lock.lock();
      try {
        Scheduler.pause(0.0001); // holding it, so that others queue for the lock
      } finally {
        lock.unlock();
      }
      text = Fds.read(pair.a());
      log.add(name + " " + text);
      queue.poll();
    }
  }
}
