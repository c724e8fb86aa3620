package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.TimeKernel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** R8: fibers that drive. */
@FdTest
class NestedDrivingTest {
  private final ManualClock clock = new ManualClock();
  private final TimeKernel kernel = new TimeKernel(clock);
  private final Scheduler scheduler = Scheduler.builder().kernel(kernel).clock(clock).build();
  private final List<String> log = new ArrayList<>();
  private final long start = clock.nanoTime();

  @AfterEach
  void close() {
    scheduler.close();
  }

  private Fiber spawnLog(String name) {
    return scheduler.spawn(() -> log.add(name));
  }

  private Fiber spawnPause(String name, double seconds) {
    return scheduler.spawn(() -> {
      Scheduler.pause(seconds);
      log.add(name + "@" + passedMillis());
    });
  }

  private long passedMillis() {
    return (clock.nanoTime() - start) / 1_000_000;
  }

  private void runInFiber(FiberBody body) {
    Fiber fiber = scheduler.spawn("driving", body);
    scheduler.run();
    assertThat(fiber.failure()).isEmpty();
  }

  @Test
  void r8_tick_givesExactlyOneResume_andGoesOnAheadOfTheQueue() {
    runInFiber(() -> {
      spawnLog("b");
      spawnLog("c");
      log.add("a1 " + scheduler.tick(0));
      log.add("a2 " + scheduler.tick(1000));
      log.add("a3 " + scheduler.tick(1000));
    });
    assertThat(log).containsExactly("b", "a1 true", "c", "a2 true", "a3 false");
    assertThat(passedMillis()).isZero();
  }

  @Test
  void r8_tick_ofTheOnlyFiber_isFalseAtOnce() {
    runInFiber(() -> {
      for (int timeout : new int[] {0, 1000, -1}) {
        assertThat(scheduler.tick(timeout)).isFalse();
      }
    });
    assertThat(kernel.blockingTimeouts()).isEmpty();
  }

  @Test
  void r8_tick_polls_neverLongerThanTheNextTimerNeeds() {
    spawnPause("b", 0.020);
    runInFiber(() -> {
      assertThat(scheduler.tick(5)).isFalse();
      assertThat(passedMillis()).isEqualTo(5);
      assertThat(scheduler.tick(50)).isTrue();
      assertThat(passedMillis()).isEqualTo(20);
    });
    assertThat(log).containsExactly("b@20");
  }

  @Test
  void r8_tick_servesReadyFds(Pipe pipe) throws Exception {
    scheduler.spawn(() -> log.add("read " + Scheduler.ioWait(pipe.readFd(), READ, -1)));
    runInFiber(() -> {
      Fds.write(pipe.writeFd(), "x");
      assertThat(scheduler.tick(-1)).isTrue();
      log.add("a");
    });
    assertThat(log).containsExactly("read 1", "a");
  }

  @Test
  void r8_runUntilEmpty_resumesTheOthersUntilNothingIsReady() {
    spawnPause("later", 1);
    runInFiber(() -> {
      scheduler.spawn(() -> {
        Scheduler.pause(0);
        log.add("b");
      });
      spawnLog("c");
      log.add("a " + scheduler.runUntilEmpty());
      assertThat(kernel.blockingTimeouts()).isEmpty();
    });
    assertThat(log).containsExactly("c", "b", "a 3", "later@1000");
  }

  @Test
  void r8_runUntilEmpty_mayEmptyTheQueueOfTheCallAround() {
    for (Scheduler.Builder builder :
        List.of(Scheduler.builder(), Scheduler.builder().seed(1), Scheduler.builder().seed(2))) {
      List<Integer> ran = new ArrayList<>();
      try (Scheduler other = builder.build()) {
        for (int i = 0; i < 10; i++) {
          int id = i;
          other.spawn(() -> {
            other.runUntilEmpty();
            ran.add(id);
          });
        }
        other.runUntilEmpty();
      }
      assertThat(ran).hasSize(10);
    }
  }

  @Test
  void r8_runFor_returnsWhenTheTimeHasPassed() {
    spawnPause("b", 0.010);
    spawnPause("c", 5);
    runInFiber(() -> {
      scheduler.runFor(1);
      log.add("a@" + passedMillis());
    });
    assertThat(log).containsExactly("b@10", "a@1000", "c@5000");
  }

  @Test
  void r8_runFor_returnsWhenNoOtherIsAlive() {
    spawnPause("b", 0.010);
    runInFiber(() -> {
      scheduler.runFor(3600);
      log.add("a@" + passedMillis());
    });
    assertThat(log).containsExactly("b@10", "a@10");
  }

  @Test
  void r8_run_returnsWhenTheOthersHaveEnded_andTheFiberGoesOnAsBefore() {
    spawnPause("b", 2);
    runInFiber(() -> {
      scheduler.run();
      log.add("a@" + passedMillis());
      Scheduler.pause(1);
      log.add("a@" + passedMillis());
    });
    assertThat(log).containsExactly("b@2000", "a@2000", "a@3000");
  }

  @Test
  void r8_nestedCalls_returnInnermostFirst_andDoNotCountAsAlive() {
    scheduler.spawn(() -> drive(50));
    scheduler.run();

    List<String> expected = new ArrayList<>();
    for (int depth = 0; depth <= 50; depth++) {
      expected.add("returned " + depth);
    }
    assertThat(log).isEqualTo(expected);
  }

  private void drive(int depth) {
    if (depth > 0) {
      scheduler.spawn(() -> drive(depth - 1));
    }
    scheduler.run();
    log.add("returned " + depth);
  }

  @Test
  void r8_anOuterCallWhoseTimeIsUp_waitsForTheInnerOne() {
    scheduler.spawn(() -> {
      scheduler.runFor(1);
      log.add("outer@" + passedMillis());
    });
    scheduler.spawn(() -> {
      scheduler.runFor(3);
      log.add("inner@" + passedMillis());
    });
    spawnPause("c", 10);
    scheduler.run();
    assertThat(log).containsExactly("inner@3000", "outer@3000", "c@10000");
  }

  @Test
  void r8_aLongStep_staysCooperative() {
    spawnPause("timer", 0.005);
    runInFiber(() -> {
      for (int i = 0; i < 10; i++) {
        clock.advanceNanos(1_000_000); // a part of the work
        while (scheduler.tick(0)) {
          log.add("between " + i);
        }
      }
      log.add("done");
    });
    assertThat(log).containsExactly("timer@5", "between 4", "done");
  }

  @Test
  void r8_aFiberThatDrives_isBlocked_andAlive() {
    List<Fiber.State> states = new ArrayList<>();
    Fiber driving = scheduler.spawn(scheduler::run);
    scheduler.spawn(() -> {
      states.add(driving.state());
      assertThat(scheduler.aliveCount()).isEqualTo(2);
    });
    scheduler.run();
    assertThat(states).containsExactly(Fiber.State.BLOCKED);
    assertThat(driving.state()).isEqualTo(Fiber.State.DONE);
  }

  @Test
  void r8_aThreadThatAFiberStarted_mayDriveToo() {
    runInFiber(() ->
        Thread.startVirtualThread(() -> {
          spawnLog("b");
          log.add("tick " + scheduler.tick(0));
        }));
    assertThat(log).containsExactly("b", "tick true");
  }

  @Test
  void r8_stop_endsEveryCall_innermostFirst() {
    spawnPause("never", 1000);
    scheduler.spawn(() -> {
      scheduler.run();
      log.add("fiber");
    });
    scheduler.spawn(scheduler::stop);
    scheduler.run();
    log.add("driver");
    assertThat(log).containsExactly("fiber", "driver");
  }

  @Test
  void r8_aCancelledFiberThatDrives_comesBackWithItsStatusSet() {
    spawnPause("never", 1000);
    Fiber driving =
        scheduler.spawn(() -> {
          scheduler.run();
          log.add("interrupted " + Thread.currentThread().isInterrupted());
          Scheduler.pause(1);
        });
    scheduler.spawn(driving::cancel);
    scheduler.runFor(5);
    assertThat(log).containsExactly("interrupted true");
    assertThat(driving.failure()).get().isInstanceOf(InterruptedException.class);
    assertThat(scheduler.aliveCount()).isOne();
  }

  @Test
  void r8_anExceptionInAFiberServedByANestedCall_staysThere() {
    runInFiber(() -> {
      Fiber failing =
          scheduler.spawn(() -> {
            throw new InterruptedException("not reported");
          });
      assertThat(scheduler.tick(0)).isTrue();
      assertThat(failing.failure()).isPresent();
    });
  }

  @Test
  void r8_aPinnedDrivingCall_isIllegalState_thatNamesTheFiber() {
    spawnLog("other");
    PINNED.set(() -> scheduler.tick(0));
    scheduler.spawn(
        "pinned one",
        () -> {
          assertThat(Pinned.FAILURE)
              .get()
              .asInstanceOf(InstanceOfAssertFactories.THROWABLE)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("pinned one")
              .hasMessageContaining("is pinned");
          log.add("went on");
          scheduler.tick(0);
        });
    scheduler.run();
    assertThat(log).containsExactly("other", "went on");
  }

  private static final AtomicReference<Runnable> PINNED = new AtomicReference<>();

  /** A class initializer pins. */
  private static final class Pinned {
    static final Optional<Throwable> FAILURE = Optional.of(catchThrowable(PINNED.get()::run));
  }

  @Test
  void r8_withATimeOfZero_isOnePass() {
    runInFiber(() -> {
      spawnLog("b");
      scheduler.runFor(0);
      log.add("a");
      assertThatThrownBy(() -> scheduler.runFor(Double.NaN))
          .isInstanceOf(IllegalArgumentException.class);
    });
    assertThat(log).containsExactly("b", "a");
  }
}
