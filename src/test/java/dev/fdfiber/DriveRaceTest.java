package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** R1 and R7, as races: threads that begin to drive, or to close, at the same time. */
@FdTest
@Tag("slow")
class DriveRaceTest {
  private static final long TIME_NANOS = 2_000_000_000L;
  private static final int MOST_ROUNDS = 20_000;

  private final long seed = new Random().nextLong();
  private final Random random = new Random(seed);

  /** A round of a race; the two have to begin together. */
  @FunctionalInterface
  private interface Round {
    void run(CyclicBarrier begin, int head, int otherHead) throws Exception;
  }

  /** Repeats a round for a while, with one or the other ahead by some turns. */
  private void race(String name, Round round) throws Exception {
    long start = System.nanoTime();
    int rounds = 0;
    while (rounds < MOST_ROUNDS && System.nanoTime() - start < TIME_NANOS) {
      round.run(new CyclicBarrier(2), random.nextInt(300), random.nextInt(300));
      rounds++;
    }
    System.out.println("DriveRaceTest " + name + ": seed " + seed + ", " + rounds + " rounds");
  }

  private static void spin(int turns) {
    for (int i = 0; i < turns; i++) {
      Thread.onSpinWait();
    }
  }

  /** Fibers that notice when two of them run at once. */
  private static void spawnWatchful(Scheduler s, AtomicInteger ran, AtomicInteger together) {
    AtomicInteger inside = new AtomicInteger();
    for (int i = 0; i < 40; i++) {
      s.spawn(() -> {
        if (inside.incrementAndGet() != 1) {
          together.incrementAndGet();
        }
        spin(20);
        inside.decrementAndGet();
        ran.incrementAndGet();
      });
    }
  }

  @Test
  void r7_twoThreadsBeginToDrive_oneDrives_andTheOtherIsRefused() throws Exception {
    AtomicInteger together = new AtomicInteger();
    race(
        "two drivers",
        (begin, head, otherHead) -> {
          try (Scheduler s = Scheduler.create()) {
            AtomicInteger ran = new AtomicInteger();
            spawnWatchful(s, ran, together);
            CyclicBarrier end = new CyclicBarrier(2); // a thread that has ended owns nothing
            Elsewhere<Integer> one = Elsewhere.start(() -> drives(s, begin, head, end));
            Elsewhere<Integer> other = Elsewhere.start(() -> drives(s, begin, otherHead, end));
            assertThat(List.of(one.result(), other.result()))
                .as("refused calls of 4 each, seed %d", seed)
                .containsExactlyInAnyOrder(0, 4);
            assertThat(ran).hasValue(40);
          }
        });
    assertThat(together).as("seed %d", seed).hasValue(0);
  }

  /** Drives four times; returns how many of these calls were refused. */
  private static int drives(Scheduler s, CyclicBarrier begin, int head, CyclicBarrier end)
      throws Exception {
    begin.await();
    spin(head);
    int refused = 0;
    for (int i = 0; i < 4; i++) {
      try {
        if (i < 3) {
          s.tick(0);
        } else {
          s.run();
        }
      } catch (WrongThreadException e) {
        assertThat(e).hasMessageContaining("owns it until it ends");
        refused++;
      }
    }
    end.await();
    return refused;
  }

  @Test
  void r7_closeAgainstARunThatBegins_closes_whoeverIsFirst() throws Exception {
    AtomicInteger together = new AtomicInteger();
    AtomicInteger refused = new AtomicInteger();
    AtomicInteger[] ranIn = {new AtomicInteger()};
    race(
        "close",
        (begin, head, otherHead) -> {
          Scheduler s = Scheduler.create();
          AtomicInteger ran = new AtomicInteger();
          Fiber waits = s.spawn("waits", () -> Scheduler.pause(100));
          spawnWatchful(s, ran, together);
          Elsewhere<Boolean> driver = Elsewhere.start(() -> runs(s, begin, head));
          Elsewhere<Void> closer =
              Elsewhere.begin(() -> {
                begin.await();
                spin(otherHead);
                s.close();
              });
          closer.result(); // close never throws
          refused.addAndGet(driver.result() ? 0 : 1);
          ranIn[0].addAndGet(ran.get());
          assertThat(s.aliveCount()).as("seed %d", seed).isZero();
          assertThat(waits.failure()).get().isInstanceOf(InterruptedException.class);
          assertThat(ran).as("each ran, driven by one or the other").hasValue(40);
        });
    assertThat(together).as("seed %d", seed).hasValue(0);
    // @FdTest sees if an eventfd was made after it had been closed
  }

  @Test
  void r7_closeAgainstTicksOfTheOwner_closes_whoeverIsFirst() throws Exception {
    AtomicInteger together = new AtomicInteger();
    race(
        "close while ticking",
        (begin, head, otherHead) -> {
          Scheduler s = Scheduler.create();
          AtomicInteger ran = new AtomicInteger();
          spawnWatchful(s, ran, together);
          CountDownLatch closed = new CountDownLatch(1);
          Elsewhere<Void> driver =
              Elsewhere.begin(() -> {
                s.tick(0);
                begin.await();
                spin(head);
                ticksUntilClosed(s);
                closed.await();
              });
          begin.await();
          spin(otherHead);
          s.close();
          closed.countDown();
          driver.result();
          assertThat(s.aliveCount()).isZero();
          assertThat(ran).hasValue(40);
        });
    assertThat(together).as("seed %d", seed).hasValue(0);
  }

  private static void ticksUntilClosed(Scheduler s) {
    while (true) {
      try {
        s.tick(0);
      } catch (IllegalStateException e) {
        assertThat(e).hasMessageContaining("closed");
        return;
      } catch (WrongThreadException e) {
        assertThat(e).hasMessageContaining("owns it"); // the thread that closes it drives
      }
    }
  }

  /** Runs it; false if it was closed already. */
  private static boolean runs(Scheduler s, CyclicBarrier begin, int head) throws Exception {
    begin.await();
    spin(head);
    try {
      s.run();
      return true;
    } catch (IllegalStateException e) {
      assertThat(e).hasMessageContaining("closed");
      return false;
    }
  }

  @Test
  void r9_spawnsAgainstClose_endInAFiberOrAreRefused() throws Exception {
    race(
        "spawn",
        (begin, head, otherHead) -> {
          Scheduler s = Scheduler.create();
          AtomicInteger ran = new AtomicInteger();
          Elsewhere<List<Fiber>> spawner =
              Elsewhere.start(() -> {
                List<Fiber> spawned = new ArrayList<>();
                begin.await();
                spin(head);
                try {
                  for (int i = 0; i < 20; i++) {
                    spawned.add(s.spawn(ran::incrementAndGet));
                  }
                } catch (IllegalStateException e) {
                  assertThat(e).hasMessageContaining("closed");
                }
                return spawned;
              });
          begin.await();
          spin(otherHead);
          s.close();
          List<Fiber> spawned = spawner.result();
          assertThat(spawned).as("seed %d", seed).noneMatch(Fiber::isAlive);
          assertThat(ran).hasValue(spawned.size());
          assertThat(s.aliveCount()).isZero();
        });
  }
}
