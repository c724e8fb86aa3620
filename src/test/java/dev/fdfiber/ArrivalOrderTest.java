package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Pipe;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;

/** R2 and R9: what another thread submits takes its turns in the order of arrival. */
@FdTest
class ArrivalOrderTest {
  private final List<String> log = new ArrayList<>();

  private Fiber spawnWaiter(Scheduler s, String name, FiberBody wait) {
    return s.spawn(
        name,
        () -> {
          try {
            wait.run();
          } catch (InterruptedException e) {
            log.add(name);
          }
        });
  }

  @Test
  void r2_cancelsByAnotherThread_takeTheirPlaceAmongSpawns(Pipe pipe) throws Exception {
    try (Scheduler s = Scheduler.create()) {
      LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
      Fiber pause = spawnWaiter(s, "pause", () -> Scheduler.pause(100));
      Fiber io = spawnWaiter(s, "io", () -> Scheduler.ioWait(pipe.readFd(), READ, -1));
      Fiber both =
          spawnWaiter(s, "io with timeout", () -> Scheduler.ioWait(pipe.readFd(), READ, 100));
      Fiber take = spawnWaiter(s, "take", () -> queue.take());
      Fiber join = spawnWaiter(s, "join", pause::join);
      s.runUntilEmpty();
      List<String> submitted = new ArrayList<>();
      Elsewhere.run(() -> {
        for (Fiber fiber : List.of(take, both, join, io, pause)) {
          fiber.cancel();
          submitted.add(fiber.name());
          String spawned = "spawned after " + fiber.name();
          s.spawn(() -> log.add(spawned));
          submitted.add(spawned);
        }
      });
      s.run();
      assertThat(log).isEqualTo(submitted);
    }
  }

  @Test
  void r2_cancelsAndSpawnsInAnyOrder_keepIt() throws Exception {
    long seed = new Random().nextLong();
    System.out.println("ArrivalOrderTest seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < 50; round++) {
      log.clear();
      List<String> submitted = new ArrayList<>();
      try (Scheduler s = Scheduler.create()) {
        List<Fiber> waiters = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
          waiters.add(spawnWaiter(s, "cancelled " + i, () -> Scheduler.pause(100)));
        }
        s.runUntilEmpty();
        Elsewhere.run(() -> submit(s, random, waiters, submitted));
        s.run();
      }
      assertThat(log).as("seed %d round %d", seed, round).isEqualTo(submitted);
    }
  }

  private void submit(Scheduler s, Random random, List<Fiber> waiters, List<String> submitted) {
    while (!waiters.isEmpty()) {
      if (random.nextBoolean()) {
        Fiber fiber = waiters.remove(random.nextInt(waiters.size()));
        submitted.add(fiber.name());
        fiber.cancel();
      } else {
        String name = "spawned " + submitted.size();
        submitted.add(name);
        s.spawn(() -> log.add(name));
      }
    }
  }

  @Test
  void r2_aCancelledFiberThatWasCancelledBefore_keepsItsFirstPlace() throws Exception {
    try (Scheduler s = Scheduler.create()) {
      Fiber pause = spawnWaiter(s, "pause", () -> Scheduler.pause(100));
      s.runUntilEmpty();
      Elsewhere.run(() -> {
        pause.cancel();
        s.spawn(() -> log.add("spawned"));
        pause.cancel();
      });
      s.run();
      assertThat(log).containsExactly("pause", "spawned");
    }
  }
}
