package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.TimeKernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** R4, tick, and R5, the other driving calls, by what they ask of the kernel. */
@FdTest
class DrivingRulesTest {
  private static final long MS = 1_000_000;

  private final ManualClock clock = new ManualClock();
  private final TimeKernel kernel = new TimeKernel(clock);
  private final Scheduler scheduler = Scheduler.builder().kernel(kernel).clock(clock).build();
  private final List<String> log = new ArrayList<>();
  private final long start = clock.nanoTime();

  @AfterEach
  void close() {
    scheduler.close();
  }

  private long passedMillis() {
    return (clock.nanoTime() - start) / MS;
  }

  private void spawnPause(String name, double seconds) {
    scheduler.spawn(() -> {
      Scheduler.pause(seconds);
      log.add(name);
    });
  }

  // ---- R4

  @Test
  void r4_tick_resumesExactlyOne_theNext() {
    for (String name : List.of("a", "b", "c")) {
      scheduler.spawn(() -> log.add(name));
    }
    assertThat(scheduler.tick(0)).isTrue();
    assertThat(log).containsExactly("a");
    assertThat(scheduler.tick(1000)).isTrue();
    assertThat(scheduler.tick(-1)).isTrue();
    assertThat(log).containsExactly("a", "b", "c");
    assertThat(scheduler.tick(0)).isFalse();
    assertThat(kernel.blockingTimeouts()).isEmpty();
  }

  @Test
  void r4_tick_withAFiberReady_doesNotPoll() {
    scheduler.spawn(() -> log.add("a"));
    spawnPause("later", 1);

    scheduler.tick(-1);

    assertThat(kernel.timeouts()).isEmpty();
  }

  @Test
  void r4_tick_withNoFiberAlive_isFalseAtOnce() {
    for (int timeout : new int[] {0, 1, 60_000, Integer.MAX_VALUE, -1, Integer.MIN_VALUE}) {
      assertThat(scheduler.tick(timeout)).isFalse();
    }
    assertThat(kernel.timeouts()).isEmpty();
    assertThat(passedMillis()).isZero();
  }

  @Test
  void r4_tick0_withNothingReady_looksOnceWithoutBlocking(Pipe pipe) throws Exception {
    scheduler.spawn(() -> Scheduler.ioWait(pipe.readFd(), READ, 1));
    scheduler.tick(0);

    assertThat(scheduler.tick(0)).isFalse();
    assertThat(kernel.timeouts()).containsExactly(0L);
    assertThat(scheduler.aliveCount()).isOne();
  }

  @Test
  void r4_tick_neverPollsLongerThanTheNextTimerNeeds() {
    spawnPause("20", 0.0200005);
    scheduler.tick(0);

    assertThat(scheduler.tick(50)).isTrue();

    assertThat(kernel.blockingTimeouts()).containsExactly(20 * MS + 500);
    assertThat(log).containsExactly("20");
  }

  @Test
  void r4_tick_neverPollsLongerThanAsked() {
    spawnPause("80", 0.080);
    scheduler.tick(0);

    assertThat(scheduler.tick(50)).isFalse();

    assertThat(kernel.blockingTimeouts()).containsExactly(50 * MS);
    assertThat(passedMillis()).isEqualTo(50);
  }

  @Test
  void r4_tick_withoutEnd_pollsUntilTheNextTimer() {
    spawnPause("5000", 5);
    spawnPause("3000", 3);
    scheduler.runUntilEmpty();

    assertThat(scheduler.tick(-1)).isTrue();

    assertThat(kernel.blockingTimeouts()).containsExactly(3000 * MS);
    assertThat(log).containsExactly("3000");
  }

  @Test
  void r4_tick_withAnIdleFd_returnsWhenItsTimeIsUp(Pipe pipe) throws Exception {
    scheduler.spawn(() -> Scheduler.ioWait(pipe.readFd(), READ, -1));
    scheduler.tick(0);

    assertThat(scheduler.tick(2500)).isFalse();

    assertThat(passedMillis()).isEqualTo(2500);
    assertThat(kernel.blockingTimeouts()).as("no spin").hasSizeLessThanOrEqualTo(4);
  }

  @Test
  void r4_tick_resumesOneOfSeveralThatGetReadyTogether(Pipe pipe) throws Exception {
    for (int i = 0; i < 3; i++) {
      scheduler.spawn(() -> {
        Scheduler.ioWait(pipe.readFd(), READ, -1);
        log.add("woken");
      });
    }
    scheduler.runUntilEmpty();
    Fds.write(pipe.writeFd(), "x");

    for (int i = 1; i <= 3; i++) {
      assertThat(scheduler.tick(-1)).isTrue();
      assertThat(log).hasSize(i);
    }
    assertThat(scheduler.tick(-1)).isFalse();
  }

  @Test
  void r4_tick_countsTheResumeInWhichAFiberParksAgain() {
    spawnPause("a", 0.010);

    assertThat(scheduler.tick(0)).isTrue();
    assertThat(scheduler.tick(0)).isFalse();
    assertThat(scheduler.tick(10)).isTrue();
    assertThat(scheduler.tick(10)).isFalse();
  }

  // ---- R5

  @Test
  void r5_runUntilEmpty_countsResumes_andNeverBlocks(Pipe pipe) throws Exception {
    scheduler.spawn(() -> Scheduler.ioWait(pipe.readFd(), READ, 10));
    spawnPause("later", 10);
    scheduler.spawn(() -> {
      Scheduler.pause(0);
      Scheduler.pause(0);
      scheduler.spawn(() -> log.add("child"));
    });

    assertThat(scheduler.runUntilEmpty()).isEqualTo(1 + 1 + 3 + 1);

    assertThat(log).containsExactly("child");
    assertThat(kernel.timeouts()).isNotEmpty().containsOnly(0L);
    assertThat(scheduler.aliveCount()).isEqualTo(2);
    assertThat(scheduler.runUntilEmpty()).isZero();
    Fds.write(pipe.writeFd(), "x");
    clock.advance(Duration.ofSeconds(10));
    assertThat(scheduler.runUntilEmpty()).isEqualTo(2);
    assertThat(scheduler.aliveCount()).isZero();
  }

  @Test
  void r5_runUntilEmpty_withNoFiber_isZero() {
    assertThat(scheduler.runUntilEmpty()).isZero();
    assertThat(kernel.blockingTimeouts()).isEmpty();
  }

  @Test
  void r5_runUntilEmpty_goesOnPast64() {
    for (int i = 0; i < 1000; i++) {
      scheduler.spawn(() -> Scheduler.pause(0));
    }
    assertThat(scheduler.runUntilEmpty()).isEqualTo(2000);
  }

  @Test
  void r5_runFor_returnsWhenNoFiberIsAlive() {
    spawnPause("10", 0.010);

    scheduler.runFor(3600);

    assertThat(log).containsExactly("10");
    assertThat(passedMillis()).isEqualTo(10);
    scheduler.runFor(Duration.ofDays(1));
    assertThat(passedMillis()).isEqualTo(10);
  }

  @Test
  void r5_runFor_returnsWhenTheTimeHasPassed_andBlocksOnceForIt() {
    spawnPause("late", 10);

    scheduler.runFor(1.5);

    assertThat(kernel.blockingTimeouts()).containsExactly(1500 * MS);
    assertThat(passedMillis()).isEqualTo(1500);
    assertThat(scheduler.aliveCount()).isOne();
    scheduler.runFor(Duration.ofMillis(8500));
    assertThat(passedMillis()).isEqualTo(10_000);
  }

  @Test
  void r5_runFor_resumesWhatIsDueAtItsVeryEnd_atTheNextCallAtTheLatest() {
    spawnPause("late", 1);
    scheduler.runFor(1);
    scheduler.runFor(0);

    assertThat(log).containsExactly("late");
  }

  @Test
  void r5_runFor_neverSleepsPastATimer() {
    spawnPause("30", 0.030);
    spawnPause("10", 0.010);
    spawnPause("20", 0.020);

    scheduler.runFor(1);

    assertThat(kernel.blockingTimeouts()).containsExactly(10 * MS, 10 * MS, 10 * MS);
    assertThat(log).containsExactly("10", "20", "30");
  }

  @Test
  void r5_runFor_withAnIdleFd_neverSpins(Pipe pipe) throws Exception {
    scheduler.spawn(() -> Scheduler.ioWait(pipe.readFd(), READ, -1));

    scheduler.runFor(10);

    assertThat(passedMillis()).isEqualTo(10_000);
    assertThat(kernel.timeouts()).hasSizeLessThanOrEqualTo(12); // one a second, to sweep
  }

  @Test
  void r5_runFor_endsInTime_thoughAFiberIsAlwaysReady() {
    scheduler.spawn(() -> {
      while (true) {
        Scheduler.pause(0);
        clock.advance(Duration.ofMillis(1));
      }
    });
    scheduler.runFor(0.1);

    assertThat(passedMillis()).isBetween(100L, 165L);
  }

  @Test
  void r5_run_returnsWhenTheLastFiberHasEnded() {
    scheduler.spawn(() -> {
      Scheduler.pause(100_000);
      spawnPause("child", 1);
    });
    scheduler.run();

    assertThat(log).containsExactly("child");
    assertThat(passedMillis()).isEqualTo(100_001_000);
    scheduler.run();
    assertThat(passedMillis()).isEqualTo(100_001_000);
  }

  @Test
  void r5_stop_endsTheCallAtTheEndOfItsPass() {
    scheduler.spawn(() -> {
      scheduler.stop();
      log.add("stopped");
    });
    scheduler.spawn(() -> log.add("same pass"));
    spawnPause("later", 1);

    scheduler.run();

    assertThat(log).containsExactly("stopped", "same pass");
    scheduler.run();
    assertThat(log).containsExactly("stopped", "same pass", "later");
  }
}
