package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * R20, as a race: another thread sends each fiber one byte and one cancel a round, in either order,
 * while it waits. Whatever wins, the fiber must see both, each once. What it does not see it waits
 * for until the round is given up.
 */
@FdTest
@Tag("slow")
class CancelStressTest {
  private static final int FIBERS = 4;
  private static final int ROUNDS = 2_000;

  @FunctionalInterface
  private interface Wait {
    int await(int fd) throws IOException, InterruptedException;
  }

  private static final class Racer {
    final Fds.Pair pipe = Fds.pipe();
    volatile int rounds;
    volatile boolean over;

    /** The fiber: rounds without end. */
    void run(Wait wait) throws IOException {
      while (!over) {
        boolean ready = false;
        boolean cancelled = false;
        while (!over && !(ready && cancelled)) {
          try {
            assertThat(wait.await(pipe.a())).isEqualTo(READ);
            assertThat(ready).as("a second byte").isFalse();
            assertThat(Fds.read(pipe.a())).isEqualTo("x");
            ready = true;
          } catch (InterruptedException e) {
            assertThat(cancelled && !over).as("a second cancel").isFalse();
            cancelled = true;
          }
        }
        finishRound();
      }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // the fiber writes, the other thread reads
    private void finishRound() {
      rounds++;
    }
  }

  /** Runs the race; returns how many rounds were finished before one took longer than the limit. */
  private static int race(Wait wait, long seed, Duration limit) throws Exception {
    Random random = new Random(seed);
    List<Racer> racers = new ArrayList<>();
    List<Fiber> fibers = new ArrayList<>();
    Scheduler s = Scheduler.create();
    for (int i = 0; i < FIBERS; i++) {
      Racer racer = new Racer();
      racers.add(racer);
      fibers.add(s.spawn(() -> racer.run(wait)));
    }
    Thread driver = Thread.ofPlatform().start(s::run);
    int round = 0;
    while (round < ROUNDS && fibers.stream().allMatch(Fiber::isAlive)) {
      for (int i = 0; i < FIBERS; i++) {
        provoke(racers.get(i), fibers.get(i), random);
      }
      if (!finished(racers, fibers, round + 1, limit)) {
        break;
      }
      round++;
    }
    racers.forEach(r -> r.over = true);
    s.close();
    driver.join();
    racers.forEach(r -> r.pipe.close());
    for (Fiber fiber : fibers) {
      assertThat(fiber.failure()).isEmpty();
    }
    return round;
  }

  private static void provoke(Racer racer, Fiber fiber, Random random) {
    boolean cancelFirst = random.nextBoolean();
    if (cancelFirst) {
      fiber.cancel();
    }
    for (int spins = random.nextInt(200); spins > 0; spins--) {
      Thread.onSpinWait();
    }
    Fds.write(racer.pipe.b(), "x");
    if (!cancelFirst) {
      for (int spins = random.nextInt(200); spins > 0; spins--) {
        Thread.onSpinWait();
      }
      fiber.cancel();
    }
  }

  private static boolean finished(
      List<Racer> racers, List<Fiber> fibers, int round, Duration limit) {
    long start = System.nanoTime();
    for (int i = 0; i < racers.size(); i++) {
      while (racers.get(i).rounds < round && fibers.get(i).isAlive()) {
        if (System.nanoTime() - start > limit.toNanos()) {
          return false;
        }
        Thread.onSpinWait();
      }
    }
    return true;
  }

  @Test
  void r20_cancelAgainstReadiness_losesNeither() throws Exception {
    long seed = new Random().nextLong();
    System.out.println("CancelStressTest seed " + seed);
    int rounds = race(fd -> Scheduler.ioWait(fd, READ, -1), seed, Duration.ofSeconds(20));
    assertThat(rounds).as("seed %d", seed).isEqualTo(ROUNDS);
  }

  @Test
  void aWaitThatForgetsACancelWhichComesLate_isFound() throws Exception {
    Wait broken =
        fd -> {
          int bits = Scheduler.ioWait(fd, READ, -1);
          boolean lost = Thread.interrupted();
          return lost ? READ : bits;
        };
    assertThat(race(broken, 1, Duration.ofSeconds(1))).isLessThan(ROUNDS);
  }
}
