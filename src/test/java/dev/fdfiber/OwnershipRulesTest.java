package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.WatchedKernel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** R7: who may drive, clear and close. */
@FdTest
class OwnershipRulesTest {
  private final WatchedKernel kernel = new WatchedKernel();
  private final Scheduler scheduler = Scheduler.builder().name("owned").kernel(kernel).build();

  private final Map<String, ThrowingCallable> drivingCalls =
      Map.of(
          "tick", () -> scheduler.tick(0),
          "runUntilEmpty", scheduler::runUntilEmpty,
          "runFor", () -> scheduler.runFor(0),
          "run", scheduler::run,
          "clear", scheduler::clear);

  @AfterEach
  void close() {
    scheduler.close();
  }

  @Test
  void r7_anotherThread_getsWrongThread_withTheReason() throws Exception {
    scheduler.tick(0);
    String owner = Thread.currentThread().getName();
    Elsewhere.run(() ->
        drivingCalls.forEach((name, call) ->
            assertThatThrownBy(call)
                .as(name)
                .isInstanceOf(WrongThreadException.class)
                .hasMessageContaining("owned")
                .hasMessageContaining(owner)
                .hasMessageContaining("elsewhere")
                .hasMessageContaining("until it ends")));
    scheduler.spawn(() -> {});
    assertThat(scheduler.tick(0)).as("the owner is not disturbed").isTrue();
  }

  @Test
  void r7_aVirtualThread_getsIllegalState_withTheReason() throws Exception {
    Elsewhere.runVirtual(() ->
        drivingCalls.forEach((name, call) ->
            assertThatThrownBy(call)
                .as(name)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("owned")
                .hasMessageContaining("virtual")));
    assertThat(scheduler.tick(0)).as("it does not own it either").isFalse();
  }

  @Test
  void r7_aFiberOfAnotherScheduler_getsIllegalState() {
    try (Scheduler other = Scheduler.create()) {
      List<Throwable> thrown = new ArrayList<>();
      other.spawn(() -> {
        try {
          scheduler.run();
        } catch (IllegalStateException e) {
          thrown.add(e);
        }
      });
      other.run();
      assertThat(thrown).singleElement().asString().contains("virtual");
    }
  }

  @Test
  void r7_ownershipBeginsWithTheFirstDrive_notWithCreate() throws Exception {
    Elsewhere.run(() -> assertThat(scheduler.runUntilEmpty()).isZero());
    scheduler.runUntilEmpty();
  }

  @Test
  void r7_ownershipEndsWithTheThread() throws Exception {
    Elsewhere.run(() -> {
      scheduler.spawn(() -> Scheduler.pause(0.001));
      scheduler.tick(0);
    });
    scheduler.run();
    assertThat(scheduler.aliveCount()).isZero();
    Elsewhere.run(
        () -> assertThatThrownBy(scheduler::run).isInstanceOf(WrongThreadException.class));
  }

  @Test
  void r7_clearAndClose_insideAFiber_areIllegalState_thatNamesIt() {
    List<Throwable> thrown = new ArrayList<>();
    scheduler.spawn(
        "suicidal",
        () -> {
          for (ThrowingCallable call :
              List.<ThrowingCallable>of(scheduler::clear, scheduler::close)) {
            try {
              call.call();
            } catch (IllegalStateException e) {
              thrown.add(e);
            } catch (Throwable e) {
              throw new AssertionError(e);
            }
          }
        });
    scheduler.spawn(() ->
        Thread.startVirtualThread(() -> {
          try {
            scheduler.close();
          } catch (IllegalStateException e) {
            thrown.add(e);
          }
        }));
    scheduler.run();

    assertThat(thrown).hasSize(3);
    assertThat(thrown.get(0)).hasMessageContaining("clear").hasMessageContaining("suicidal");
    assertThat(thrown.get(1)).hasMessageContaining("close").hasMessageContaining("suicidal");
    scheduler.spawn(() -> {});
    assertThat(scheduler.runUntilEmpty()).as("it is still open").isOne();
  }

  @Test
  void r7_aFiberMayCloseAnotherSchedulerThatIsIdle() {
    Scheduler other = Scheduler.create();
    Fiber fiber = scheduler.spawn(other::close);
    scheduler.run();
    assertThat(fiber.failure()).isEmpty();
    assertThatThrownBy(() -> other.spawn(() -> {})).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void r7_close_byAnotherThread_whileOneDrives_stopsThatDriver() throws Exception {
    Fiber pausing = scheduler.spawn(() -> Scheduler.pause(1000));
    Fiber parked = scheduler.spawn(() -> new CountDownLatch(1).await());
    Elsewhere<Void> driver =
        Elsewhere.begin(() -> {
          scheduler.run();
          assertThatThrownBy(scheduler::run)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("closed");
        });
    kernel.awaitBlockingPoll();

    scheduler.close();

    driver.result();
    for (Fiber fiber : List.of(pausing, parked)) {
      assertThat(fiber.isAlive()).isFalse();
      assertThat(fiber.failure()).get().isInstanceOf(InterruptedException.class);
    }
  }

  @Test
  void r7_close_byAnotherThread_whileFibersAreBusy_stopsThatDriver() throws Exception {
    CountDownLatch busy = new CountDownLatch(1);
    scheduler.spawn(() -> {
      while (true) {
        busy.countDown();
        Scheduler.pause(0);
      }
    });
    Elsewhere<Void> driver = Elsewhere.begin(scheduler::run);
    busy.await();

    scheduler.close();

    driver.result();
    assertThat(scheduler.aliveCount()).isZero();
  }

  @Test
  void r7_close_byAnotherThread_ofAnIdleScheduler_takesOver() throws Exception {
    Fiber fiber = scheduler.spawn(() -> Scheduler.pause(1000));
    scheduler.runUntilEmpty(); // so that this thread owns it
    Elsewhere.run(scheduler::close);
    assertThat(fiber.failure()).get().isInstanceOf(InterruptedException.class);
  }

  @Test
  void r7_close_byTwoThreadsAtOnce_closesOnce() throws Exception {
    scheduler.spawn(() -> Scheduler.pause(1000));
    Elsewhere<Void> driver = Elsewhere.begin(scheduler::run);
    kernel.awaitBlockingPoll();
    Elsewhere<Void> one = Elsewhere.begin(scheduler::close);
    Elsewhere<Void> two = Elsewhere.begin(scheduler::close);
    one.result();
    two.result();
    driver.result();
    scheduler.close();
    assertThat(scheduler.aliveCount()).isZero();
  }

  @Test
  @Tag("slow")
  void r7_close_andTheFirstDrive_atOnce_neverDriveTogether() throws Exception {
    for (int round = 0; round < 2_000; round++) {
      Scheduler raced = Scheduler.create();
      AtomicInteger inside = new AtomicInteger();
      AtomicBoolean together = new AtomicBoolean();
      for (int f = 0; f < 10; f++) {
        raced.execute(() -> {
          if (inside.incrementAndGet() != 1) {
            together.set(true);
          }
          Thread.onSpinWait();
          inside.decrementAndGet();
        });
      }
      CyclicBarrier barrier = new CyclicBarrier(3);
      List<Elsewhere<Void>> drivers = new ArrayList<>();
      for (int t = 0; t < 2; t++) {
        drivers.add(
            Elsewhere.begin(() -> {
              barrier.await();
              try {
                raced.run();
              } catch (WrongThreadException | IllegalStateException e) {
                assertThat(e.getMessage()).containsAnyOf("owns it", "closed");
              }
            }));
      }
      barrier.await();
      raced.close();
      for (Elsewhere<Void> driver : drivers) {
        driver.result();
      }
      assertThat(together).isFalse();
      assertThat(raced.aliveCount()).isZero();
    }
  }

  @Test
  @Tag("slow")
  void r7_close_whileAFiberHoldsTheDriver_waitsWithALimit_andCanBeRepeated() throws Exception {
    AtomicBoolean hold = new AtomicBoolean(true);
    CountDownLatch held = new CountDownLatch(1);
    scheduler.spawn(() -> {
      held.countDown();
      while (hold.get()) {
        Thread.onSpinWait();
      }
    });
    Elsewhere<Void> driver = Elsewhere.begin(scheduler::run);
    held.await();

    assertThatThrownBy(scheduler::close)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("elsewhere")
        .hasMessageContaining("cannot be closed");

    hold.set(false);
    driver.result();
    scheduler.close();
  }

  @Test
  void r7_theCloser_keepsItsInterruptStatus() throws Exception {
    scheduler.spawn(() -> Scheduler.pause(1000));
    Elsewhere<Void> driver = Elsewhere.begin(scheduler::run);
    kernel.awaitBlockingPoll();
    Elsewhere.run(() -> {
      Thread.currentThread().interrupt();
      scheduler.close();
      assertThat(Thread.currentThread().isInterrupted()).isTrue();
    });
    driver.result();
  }

  @Test
  void r7_close_withUnparksStillComing_endsThem() throws Exception {
    List<Fiber> fibers = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      fibers.add(
          scheduler.spawn(() -> {
            while (!Thread.currentThread().isInterrupted()) {
              LockSupport.park();
            }
          }));
    }
    scheduler.runUntilEmpty();
    AtomicBoolean over = new AtomicBoolean();
    Elsewhere<Void> unparker =
        Elsewhere.begin(() -> {
          while (!over.get()) {
            fibers.forEach(fiber -> LockSupport.unpark(fiber.thread()));
          }
        });
    scheduler.close();
    over.set(true);
    unparker.result();
    assertThat(fibers).noneMatch(Fiber::isAlive);
  }
}
