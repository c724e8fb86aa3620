package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.TimeKernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** R11 and R12: how exactly time is kept, and the limits of what can be asked for. */
@FdTest
class TimeRulesTest {
  private static final double YEAR = 365.25 * 86_400;

  private final ManualClock clock = new ManualClock();
  private final TimeKernel kernel = new TimeKernel(clock);
  private final Scheduler scheduler = Scheduler.builder().kernel(kernel).clock(clock).build();
  private final long start = clock.nanoTime();

  @AfterEach
  void close() {
    scheduler.close();
  }

  private void runToTheEnd(FiberBody body) {
    Fiber fiber = scheduler.spawn(body);
    scheduler.run();
    assertThat(fiber.failure()).isEmpty();
  }

  private long passedNanos() {
    return clock.nanoTime() - start;
  }

  // ---- R11

  @Test
  void r11_nanosecondTimeouts_reachTheKernel() throws Exception {
    try (Fds.Pair pipe = Fds.pipe()) {
      runToTheEnd(() -> {
        Scheduler.pause(Duration.ofNanos(1));
        Scheduler.pause(0.000_123_457);
        Scheduler.ioWait(pipe.a(), READ, Duration.ofNanos(999_999));
        Scheduler.ioWait(pipe.a(), READ, 0.25);
      });
    }
    assertThat(kernel.blockingTimeouts()).containsExactly(1L, 123_457L, 999_999L, 250_000_000L);
  }

  @Test
  void r11_noWaitEndsEarly_whateverTheKernelReturns() throws Exception {
    runToTheEnd(() -> Scheduler.pause(0.5));
    assertThat(passedNanos()).isEqualTo(500_000_000);
    Fiber fiber = scheduler.spawn(() -> Scheduler.pause(0.5));
    scheduler.tick(0);
    clock.advanceNanos(499_999_999);
    scheduler.runUntilEmpty();
    assertThat(fiber.state()).isEqualTo(Fiber.State.PAUSED);
    assertThat(scheduler.nextWakeNanos()).hasValue(1);
    clock.advanceNanos(1);
    scheduler.runUntilEmpty();
    assertThat(fiber.state()).isEqualTo(Fiber.State.DONE);
  }

  @Test
  void r11_pause0_yields_andReadsNoClock() {
    List<String> log = new ArrayList<>();
    scheduler.spawn(() -> {
      log.add("a1");
      Scheduler.pause(0);
      log.add("a2");
    });
    scheduler.spawn(() -> {
      log.add("b1");
      Scheduler.pause(Duration.ZERO);
      log.add("b2");
    });
    scheduler.runUntilEmpty();
    assertThat(log).containsExactly("a1", "b1", "a2", "b2");
  }

  @Test
  @Tag("slow")
  void r11_hundredThousandPauses_endInTheOrderOfTheirDeadlines_noneEarly() {
    int count = 100_000;
    Random random = new Random(11);
    long[] deadlines = new long[count];
    List<Integer> order = new ArrayList<>(count);
    int[] early = new int[1];
    for (int i = 0; i < count; i++) {
      int id = i;
      long nanos = 1_000_000L + random.nextInt(99_000_001);
      scheduler.spawn(() -> {
        deadlines[id] = clock.nanoTime() + nanos;
        Scheduler.pause(Duration.ofNanos(nanos));
        early[0] += clock.nanoTime() - deadlines[id] < 0 ? 1 : 0;
        order.add(id);
      });
    }
    scheduler.run();

    assertThat(early[0]).isZero();
    assertThat(order).hasSize(count);
    for (int i = 1; i < count; i++) {
      long difference = deadlines[order.get(i)] - deadlines[order.get(i - 1)];
      if (difference < 0 || (difference == 0 && order.get(i) < order.get(i - 1))) {
        fail("fiber %d came after fiber %d", order.get(i), order.get(i - 1));
      }
    }
  }

  @Test
  @Tag("slow")
  void r11_hundredThousandPauses_onTheRealClock_areNeitherEarlyNorLost() {
    int count = 100_000;
    Random random = new Random(12);
    int[] ended = new int[1];
    int[] early = new int[1];
    long began = System.nanoTime();
    try (Scheduler real = Scheduler.create()) {
      for (int i = 0; i < count; i++) {
        long nanos = 1_000_000L + random.nextInt(99_000_001);
        real.spawn(() -> {
          long deadline = System.nanoTime() + nanos;
          Scheduler.pause(Duration.ofNanos(nanos));
          early[0] += System.nanoTime() - deadline < 0 ? 1 : 0;
          ended[0]++;
        });
      }
      real.run();
    }
    assertThat(ended[0]).isEqualTo(count);
    assertThat(early[0]).isZero();
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
  }

  @Test
  @Tag("slow")
  void r11_aShortPause_takesWellUnderAMillisecond() {
    long[] took = new long[200];
    try (Scheduler real = Scheduler.create()) {
      real.spawn(() -> {
        for (int i = 0; i < took.length; i++) {
          long before = System.nanoTime();
          Scheduler.pause(0.0001);
          took[i] = System.nanoTime() - before;
        }
      });
      real.run();
    }
    assertThat(Arrays.stream(took).min().orElseThrow()).isGreaterThanOrEqualTo(100_000);
    Arrays.sort(took);
    assertThat(took[took.length / 2]).as("the median").isLessThan(1_000_000);
  }

  @Test
  void r11_deadlinesBeyondTheEndOfTheClock_compareRight() {
    List<String> log = new ArrayList<>();
    for (double seconds : new double[] {140 * YEAR, 0.5, 1.5, 3, 0.9}) {
      scheduler.spawn(() -> {
        Scheduler.pause(seconds);
        log.add("" + seconds);
      });
    }
    scheduler.runFor(10);
    assertThat(log).containsExactly("0.5", "0.9", "1.5", "3.0");
    assertThat(clock.nanoTime()).as("wrapped around").isNegative();
    scheduler.run();
    assertThat(passedNanos()).isEqualTo((long) (140 * YEAR * 1e9));
  }

  // ---- R12

  @Test
  void r12_nan_isIllegalArgument_inAndOutOfFibers() throws Exception {
    try (Fds.Pair pipe = Fds.pipe()) {
      for (ThrowingCallable call :
          List.<ThrowingCallable>of(
              () -> Scheduler.pause(Double.NaN),
              () -> Scheduler.ioWait(pipe.a(), READ, Double.NaN))) {
        assertThatThrownBy(call)
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("NaN");
        runToTheEnd(() ->
            assertThatThrownBy(call)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("NaN"));
      }
    }
    assertThatThrownBy(() -> scheduler.runFor(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("NaN");
  }

  @Test
  void r12_aNegativePause_isIllegalArgument_andNamesTheValue() {
    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> Scheduler.pause(-1.5), () -> Scheduler.pause(Duration.ofMillis(-1500)))) {
      assertThatThrownBy(call)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("-1.5")
          .hasMessageContaining("0 to yield");
      runToTheEnd(() -> assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class));
    }
    assertThatThrownBy(() -> Scheduler.pause(Double.NEGATIVE_INFINITY))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void r12_minusZero_isZero() {
    runToTheEnd(() -> Scheduler.pause(-0.0));
    assertThat(kernel.blockingTimeouts()).isEmpty();
  }

  @Test
  void r12_aNegativeTimeout_waitsWithoutEnd(Pipe pipe) throws Exception {
    for (double timeout : new double[] {-1, -1e-9, Double.NEGATIVE_INFINITY}) {
      endlessWait(() -> Scheduler.ioWait(pipe.readFd(), READ, timeout));
    }
    endlessWait(() -> Scheduler.ioWait(pipe.readFd(), READ, Duration.ofNanos(-1)));
  }

  @Test
  void r12_infinity_andWhatIsLongerThan146Years_isWithoutEnd(Pipe pipe) throws Exception {
    for (double time : new double[] {Double.POSITIVE_INFINITY, Double.MAX_VALUE, 147 * YEAR}) {
      endlessWait(() -> Scheduler.pause(time));
      endlessWait(() -> Scheduler.ioWait(pipe.readFd(), READ, time));
    }
    Duration longest = Duration.ofSeconds(Long.MAX_VALUE, 999_999_999);
    for (Duration time : List.of(longest, Duration.ofDays(147 * 366))) {
      endlessWait(() -> Scheduler.pause(time));
      endlessWait(() -> Scheduler.ioWait(pipe.readFd(), READ, time));
    }
  }

  /** Still waits after a century and a half, without a timer. */
  private void endlessWait(FiberBody body) {
    Fiber fiber = scheduler.spawn(body);
    scheduler.runUntilEmpty();
    assertThat(scheduler.nextWakeNanos()).isEmpty();
    for (int i = 0; i < 4; i++) {
      clock.advance(Duration.ofDays(40 * 365));
      scheduler.runUntilEmpty();
      assertThat(fiber.isAlive()).isTrue();
    }
    fiber.cancel();
    scheduler.runUntilEmpty();
    assertThat(fiber.failure()).get().isInstanceOf(InterruptedException.class);
  }

  @Test
  void r12_145Years_endOnTime() {
    runToTheEnd(() -> Scheduler.pause(145 * YEAR));
    assertThat(passedNanos()).isEqualTo((long) Math.ceil(145 * YEAR * 1e9));
  }

  @Test
  void r12_secondsRoundUpToNanoseconds() {
    double[] seconds = {1e-9, 1.5e-9, 1e-10, Double.MIN_VALUE, 1e-300, 0.000_000_001_1, 2e-9};
    runToTheEnd(() -> {
      for (double s : seconds) {
        Scheduler.pause(s);
      }
    });
    assertThat(kernel.blockingTimeouts()).containsExactly(1L, 2L, 1L, 1L, 1L, 2L, 2L);
  }

  @Test
  void r12_aZeroTimeout_letsOneLookGoBy(Pipe pipe) throws Exception {
    List<Integer> seen = new ArrayList<>();
    runToTheEnd(() -> {
      seen.add(Scheduler.ioWait(pipe.readFd(), READ, 0));
      Fds.write(pipe.writeFd(), "x");
      seen.add(Scheduler.ioWait(pipe.readFd(), READ, 0));
      seen.add(Scheduler.ioWait(pipe.readFd(), READ, Duration.ZERO));
    });
    assertThat(seen).containsExactly(0, READ, READ);
    assertThat(kernel.timeouts()).containsOnly(0L).hasSizeLessThanOrEqualTo(4);
  }

  @Test
  void r12_aZeroTimeout_isServedInTheNextPass_howeverManyAreReady(Pipe pipe) throws Exception {
    Fds.write(pipe.writeFd(), "x");
    boolean[] done = new boolean[1];
    int[] rounds = new int[1];
    scheduler.spawn(() -> {
      assertThat(Scheduler.ioWait(pipe.readFd(), READ, 0)).isEqualTo(READ);
      assertThat(Scheduler.ioWait(pipe.readFd(), Scheduler.WRITE, 0)).isZero();
      done[0] = true;
    });
    scheduler.spawn(() -> {
      for (; !done[0]; rounds[0]++) {
        Scheduler.pause(0);
      }
    });
    scheduler.run();
    assertThat(rounds[0]).isLessThanOrEqualTo(3);
  }

  @Test
  void r12_runForZeroOrLess_isOnePassThatDoesNotBlock() {
    for (Runnable call :
        List.<Runnable>of(
            () -> scheduler.runFor(0),
            () -> scheduler.runFor(-1),
            () -> scheduler.runFor(Double.NEGATIVE_INFINITY),
            () -> scheduler.runFor(Duration.ZERO),
            () -> scheduler.runFor(Duration.ofDays(-1)))) {
      int[] resumes = new int[1];
      Fiber fiber =
          scheduler.spawn(() -> {
            while (true) {
              resumes[0]++;
              Scheduler.pause(0);
            }
          });
      Fiber paused = scheduler.spawn(() -> Scheduler.pause(60));
      call.run();
      assertThat(resumes[0]).isOne();
      call.run();
      assertThat(resumes[0]).isEqualTo(2);
      fiber.cancel();
      paused.cancel();
      scheduler.runUntilEmpty();
    }
    assertThat(kernel.blockingTimeouts()).isEmpty();
  }

  @Test
  void r12_runForWithoutEnd_isRun() {
    scheduler.spawn(() -> Scheduler.pause(1000 * 86_400));
    scheduler.runFor(Double.POSITIVE_INFINITY);
    assertThat(scheduler.aliveCount()).isZero();
    scheduler.spawn(() -> Scheduler.pause(1000 * 86_400));
    scheduler.runFor(Duration.ofSeconds(Long.MAX_VALUE));
    assertThat(scheduler.aliveCount()).isZero();
  }
}
