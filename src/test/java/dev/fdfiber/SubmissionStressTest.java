package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** R9: whatever other threads submit arrives, however it races with the driver going to sleep. */
@FdTest
@Tag("slow")
class SubmissionStressTest {
  private static final int ROUNDS = 20_000;

  private final Random random = seeded();

  private static Random seeded() {
    long seed = System.nanoTime();
    System.out.println("SubmissionStressTest seed " + seed);
    return new Random(seed);
  }

  /** Lets the driver fall asleep, or nearly, or not. */
  private static void spin(Random random) {
    for (int i = random.nextInt(2000); i > 0; i--) {
      Thread.onSpinWait();
    }
  }

  @Test
  void r9_oneSubmissionAtATime_wakesTheDriver_everyTime() throws Exception {
    try (Scheduler scheduler = Scheduler.create()) {
      SynchronousQueue<Integer> answers = new SynchronousQueue<>();
      Fiber keeper = scheduler.spawn(() -> LockSupport.park());
      Elsewhere<Void> driver = Elsewhere.begin(scheduler::run);
      for (int i = 0; i < ROUNDS; i++) {
        int id = i;
        switch (i % 3) {
          case 0 -> scheduler.spawn(() -> answers.put(id));
          case 1 -> scheduler.execute(() -> put(answers, id));
          default -> scheduler.threadFactory().newThread(() -> put(answers, id)).start();
        }
        assertThat(answers.take()).isEqualTo(id);
        spin(random);
      }
      LockSupport.unpark(keeper.thread());
      driver.result();
    }
  }

  private static void put(SynchronousQueue<Integer> answers, int id) {
    try {
      answers.put(id);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void r9_oneUnparkAtATime_wakesTheDriver_everyTime() throws Exception {
    try (Scheduler scheduler = Scheduler.create()) {
      LinkedBlockingQueue<Integer> questions = new LinkedBlockingQueue<>();
      LinkedBlockingQueue<Integer> answers = new LinkedBlockingQueue<>();
      scheduler.spawn(() -> {
        for (int i = 0; i < ROUNDS; i++) {
          answers.add(questions.take());
        }
      });
      Elsewhere<Void> driver = Elsewhere.begin(scheduler::run);
      for (int i = 0; i < ROUNDS; i++) {
        questions.add(i);
        assertThat(answers.take()).isEqualTo(i);
        spin(random);
      }
      driver.result();
    }
  }

  @Test
  void r9_oneCancelAtATime_wakesTheDriver_everyTime() throws Exception {
    try (Scheduler scheduler = Scheduler.create()) {
      LinkedBlockingQueue<Fiber> started = new LinkedBlockingQueue<>();
      Fiber keeper = scheduler.spawn(() -> LockSupport.park());
      Elsewhere<Void> driver = Elsewhere.begin(scheduler::run);
      for (int i = 0; i < ROUNDS / 4; i++) {
        scheduler.spawn(() -> {
          started.add(Fiber.current());
          Scheduler.pause(Double.POSITIVE_INFINITY);
        });
        Fiber fiber = started.take();
        spin(random);
        fiber.cancel();
        fiber.join();
        assertThat(fiber.failure()).get().isInstanceOf(InterruptedException.class);
      }
      LockSupport.unpark(keeper.thread());
      driver.result();
    }
  }

  @Test
  void r9_manyThreadsAtOnce_loseNothing_andRunEachOnce() throws Exception {
    try (Scheduler scheduler = Scheduler.create()) {
      AtomicInteger ran = new AtomicInteger();
      LinkedBlockingQueue<Integer> queue = new LinkedBlockingQueue<>();
      int threads = 3;
      int[] taken = new int[1];
      scheduler.spawn(() -> {
        for (; taken[0] < threads * ROUNDS; taken[0]++) {
          queue.take();
        }
      });
      List<Elsewhere<Void>> others = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        Random own = new Random(random.nextLong());
        others.add(
            Elsewhere.begin(() -> {
              for (int i = 0; i < ROUNDS; i++) {
                scheduler.execute(ran::incrementAndGet);
                queue.add(i);
                if (own.nextInt(100) == 0) {
                  spin(own);
                }
              }
            }));
      }
      scheduler.run();
      for (Elsewhere<Void> other : others) {
        other.result();
      }
      scheduler.run();
      assertThat(ran).hasValue(threads * ROUNDS);
      assertThat(taken[0]).isEqualTo(threads * ROUNDS);
    }
  }

  @Test
  void r9_stop_wakesTheDriver_everyTime() throws Exception {
    try (Scheduler scheduler = Scheduler.create()) {
      scheduler.spawn(() -> LockSupport.park());
      SynchronousQueue<Integer> turns = new SynchronousQueue<>();
      Elsewhere<Void> driver =
          Elsewhere.begin(() -> {
            for (int i = 0; i < ROUNDS; i++) {
              turns.put(i);
              scheduler.run();
            }
          });
      for (int i = 0; i < ROUNDS; i++) {
        assertThat(turns.take()).isEqualTo(i);
        spin(random);
        scheduler.stop();
      }
      driver.result();
    }
  }

  @Test
  void r9_closeAgainstSubmissions_runsOrRefusesEach() throws Exception {
    for (int round = 0; round < 500; round++) {
      Scheduler scheduler = Scheduler.create();
      AtomicInteger accepted = new AtomicInteger();
      AtomicInteger ran = new AtomicInteger();
      CountDownLatch begun = new CountDownLatch(1);
      scheduler.spawn(() -> Scheduler.pause(1000));
      Elsewhere<Void> driver = Elsewhere.begin(scheduler::run);
      Elsewhere<Void> submitter =
          Elsewhere.begin(() -> {
            try {
              while (true) {
                scheduler.execute(ran::incrementAndGet);
                accepted.incrementAndGet();
                begun.countDown();
              }
            } catch (RejectedExecutionException e) {
              assertThat(e).hasMessageContaining("closed");
            }
          });
      begun.await();
      spin(random);
      scheduler.close();
      submitter.result();
      driverEnds(driver);
      assertThat(ran.get()).isEqualTo(accepted.get());
      assertThat(scheduler.aliveCount()).isZero();
    }
  }

  /** It may come too late to drive. */
  private static void driverEnds(Elsewhere<Void> driver) throws Exception {
    try {
      driver.result();
    } catch (IllegalStateException e) {
      assertThat(e).hasMessageContaining("closed");
    }
  }

  @Test
  void r9_unparksAfterClose_areDropped_andThrowNothing() {
    Scheduler scheduler = Scheduler.create();
    Fiber stubborn =
        scheduler.spawn(
            "stubborn",
            () -> {
              while (true) {
                LockSupport.park();
                Thread.interrupted(); // swallows every cancel
              }
            });
    scheduler.runUntilEmpty();
    scheduler.close(); // gives it up, after a limit
    for (int i = 0; i < 1000; i++) {
      LockSupport.unpark(stubborn.thread());
      stubborn.cancel();
    }
    assertThat(stubborn.isAlive()).isFalse();
    assertThat(scheduler.aliveCount()).isZero();
  }

  @Test
  void r9_cancelAgainstTheEndOfAPause_losesNeither() throws Exception {
    try (Scheduler scheduler = Scheduler.create()) {
      Fiber keeper = scheduler.spawn(() -> LockSupport.park());
      LinkedBlockingQueue<Fiber> started = new LinkedBlockingQueue<>();
      Elsewhere<Void> driver = Elsewhere.begin(scheduler::run);
      for (int i = 0; i < ROUNDS / 4; i++) {
        AtomicBoolean wasCancelled = new AtomicBoolean();
        scheduler.spawn(() -> {
          started.add(Fiber.current());
          try {
            Scheduler.pause(0.000_05);
            Scheduler.pause(1000); // the wait was over: the cancel is for this one
          } catch (InterruptedException e) {
            wasCancelled.set(true);
          }
        });
        Fiber fiber = started.take();
        spin(random);
        fiber.cancel();
        fiber.join();
        assertThat(wasCancelled).isTrue();
      }
      LockSupport.unpark(keeper.thread());
      driver.result();
    }
  }
}
