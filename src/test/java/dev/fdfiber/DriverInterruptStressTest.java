package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** R20, as a race: the driver is interrupted as its driving call begins, mounts, or ends. */
@FdTest
@Tag("slow")
class DriverInterruptStressTest {
  private static final long TIME_NANOS = 2_000_000_000L;

  private final AtomicInteger begun = new AtomicInteger();
  private final AtomicInteger interrupted = new AtomicInteger();
  private int lost;

  /**
   * How many may get lost while fibers run: about one in 10,000 was. JDK 25 sets the status, and
   * tells of it later. When the last unmount of the drive clears the status in between, and the
   * drive ends, there is nobody to tell any more.
   */
  private static int lostByTheJdk(int rounds) {
    return 5 + rounds / 1_000;
  }

  @Test
  void r20_onceBothReturned_theStatusIsSet() throws Exception {
    int rounds = race(30);
    assertThat(lost).as("lost in %d rounds", rounds).isLessThanOrEqualTo(lostByTheJdk(rounds));
  }

  @Test
  void r20_onceBothReturned_theStatusIsSet_alsoWhenNothingRuns() throws Exception {
    int rounds = race(0);
    assertThat(lost).as("lost in %d rounds", rounds).isZero();
  }

  /** Returns how many rounds there were. */
  private int race(int fibers) throws Exception {
    Thread me = Thread.currentThread();
    Elsewhere<Void> interrupter = Elsewhere.begin(() -> interruptsEachRound(me));
    int rounds = 0;
    int during = 0;
    long start = System.nanoTime();
    try (Scheduler s = Scheduler.create()) {
      while (System.nanoTime() - start < TIME_NANOS) {
        for (int i = 0; i < fibers; i++) {
          s.spawn(Thread::yield);
        }
        begun.set(++rounds);
        s.run();
        boolean already = Thread.interrupted();
        while (interrupted.get() != rounds) {
          Thread.onSpinWait();
        }
        during += already ? 1 : 0;
        lost += already || Thread.interrupted() ? 0 : 1;
        s.runUntilEmpty();
        Thread.interrupted(); // may come twice: before the call and in it
      }
    } finally {
      begun.set(-1);
      interrupter.result();
      Thread.interrupted();
    }
    System.out.println(
        "DriverInterruptStressTest: "
            + rounds
            + " rounds, "
            + during
            + " interrupts in the call, "
            + lost
            + " lost");
    return rounds;
  }

  private void interruptsEachRound(Thread driver) {
    int round = 0;
    while (true) {
      int now = begun.get();
      if (now < 0) {
        return;
      }
      if (now == round) {
        Thread.onSpinWait();
        continue;
      }
      round = now;
      for (int i = 0; i < round % 300; i++) {
        Thread.onSpinWait();
      }
      driver.interrupt();
      interrupted.set(round);
    }
  }
}
