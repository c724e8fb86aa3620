package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.TimeKernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.Level;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** R21: how long close takes, when a fiber does not end or one begins late. */
@FdTest
@Tag("slow")
class CloseLimitTest {
  private static final Duration TEN_TIMES_THE_LIMIT = Duration.ofSeconds(50);

  /** Cancels are repeated each 1.25 s; this is longer, and shorter than the limit of 5 s. */
  private static final Duration LONG_CLEANUP = Duration.ofSeconds(3);

  private final ManualClock clock = new ManualClock();
  private final TimeKernel kernel = new TimeKernel(clock);
  private final CountDownLatch held = new CountDownLatch(1);
  private final CountDownLatch release = new CountDownLatch(1);

  private static Duration timed(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private static void holdTheDriver(Duration time) {
    long start = System.nanoTime();
    while (System.nanoTime() - start < time.toNanos()) {
      Thread.onSpinWait();
    }
  }

  private void closeBesideALongCleanup(FiberBody blocks) throws Exception {
    boolean[] cleaned = new boolean[1];
    try (Logged logged = new Logged()) {
      Scheduler s = Scheduler.create();
      Fiber blocked = s.spawn("the blocked one", blocks);
      Fiber slow =
          s.spawn(
              "the slow one",
              () -> {
                try {
                  Scheduler.pause(1000);
                } finally {
                  holdTheDriver(LONG_CLEANUP);
                  cleaned[0] = true;
                }
              });
      s.runUntilEmpty();
      assertThat(timed(s::close)).isBetween(LONG_CLEANUP, TEN_TIMES_THE_LIMIT);
      assertThat(cleaned).containsExactly(true);
      assertThat(slow.failure()).get().isInstanceOf(InterruptedException.class);
      assertThat(logged.at(Level.WARNING))
          .singleElement()
          .asString()
          .contains("fiber the blocked one ");
      assertThat(blocked.isAlive()).isFalse();
      assertThat(s.aliveCount()).isZero();
    }
  }

  @Test
  void r21_close_besideAFiberThatHoldsTheDriver_givesUpWhatBlocksOnAMonitor() throws Exception {
    assumeTrue(Runtime.version().feature() >= 24, "synchronized pins before JDK 24");
    Object monitor = new Object();
    Elsewhere<Void> holder =
        Elsewhere.begin(() -> {
          synchronized (monitor) {
            held.countDown();
            release.await();
          }
        });
    held.await();
    closeBesideALongCleanup(() -> {
      synchronized (monitor) {
        throw new AssertionError("given up, and went on");
      }
    });
    release.countDown();
    holder.result();
  }

  @Test
  void r21_close_besideAFiberThatHoldsTheDriver_givesUpWhatBlocksOnALock() throws Exception {
    ReentrantLock lock = new ReentrantLock();
    Elsewhere<Void> holder =
        Elsewhere.begin(() -> {
          lock.lock();
          try {
            held.countDown();
            release.await();
          } finally {
            lock.unlock();
          }
        });
    held.await();
    closeBesideALongCleanup(() -> {
      lock.lock();
      throw new AssertionError("given up, and went on");
    });
    release.countDown();
    holder.result();
  }

  /** One whose waits take no time, so that they can be looked at. */
  private Scheduler timeless() {
    return Scheduler.builder().clock(clock).kernel(kernel).build();
  }

  /** The next round of cancels comes after 1.25 s, for which the driver would wait. */
  private void closesPromptly(Scheduler s) {
    s.close();
    assertThat(kernel.blockingTimeouts()).as("waits for the next round of cancels").isEmpty();
  }

  @Test
  void r21_aThreadOfTheFactory_startedDuringClose_isEndedPromptly() {
    Scheduler s = timeless();
    List<String> seen = new ArrayList<>();
    Thread late =
        s.threadFactory()
            .newThread(() -> {
              try {
                Scheduler.pause(100);
              } catch (InterruptedException e) {
                seen.add("cancelled");
              }
            });
    s.spawn(() -> {
      try {
        Scheduler.pause(1000);
      } finally {
        late.start();
      }
    });
    s.runUntilEmpty();
    closesPromptly(s);
    assertThat(seen).containsExactly("cancelled");
    assertThat(late.isAlive()).isFalse();
    assertThat(s.aliveCount()).isZero();
  }

  @Test
  void r21_aThreadStartedByAFiberDuringClose_isEndedPromptly() {
    Scheduler s = timeless();
    List<Thread> late = new ArrayList<>();
    s.spawn(() -> {
      try {
        Scheduler.pause(1000);
      } finally {
        late.add(
            Thread.startVirtualThread(() -> {
              try {
                Thread.sleep(100_000); // sleeps on purpose
              } catch (InterruptedException e) {
                assertThat(e).isNotNull();
              }
            }));
      }
    });
    s.runUntilEmpty();
    closesPromptly(s);
    assertThat(late).singleElement().matches(t -> !t.isAlive());
  }
}
