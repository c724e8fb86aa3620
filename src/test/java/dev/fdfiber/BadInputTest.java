package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Pipe;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is asked wrongly is refused, says what to do, and disturbs nobody else. */
@FdTest
class BadInputTest {
  private final List<Throwable> uncaught = new ArrayList<>();
  private final List<String> log = new ArrayList<>();
  private final Scheduler scheduler =
      Scheduler.builder().name("strictly speaking").onUncaught(this::keep).build();

  private void keep(Fiber fiber, Throwable t) {
    log.add("uncaught in " + fiber.name());
    uncaught.add(t);
  }

  @BeforeEach
  void spawnBystander() {
    scheduler.spawn(
        "bystander",
        () -> {
          Scheduler.pause(0);
          Scheduler.pause(0.001);
          log.add("bystander");
        });
  }

  /** Whatever happened, the others go on and the scheduler closes. */
  @AfterEach
  void othersAreNotDisturbed() {
    if (!isClosed()) {
      scheduler.run();
      assertThat(log).contains("bystander");
      scheduler.close();
    }
    assertThat(scheduler.aliveCount()).isZero();
  }

  private boolean isClosed() {
    try {
      scheduler.spawn(() -> {});
      return false;
    } catch (IllegalStateException e) {
      return true;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 4, 5, 8, 1 << 16, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void ioWait_withAnotherMode_namesModeAndFd(int mode, Pipe pipe) {
    ThrowingCallable call = () -> Scheduler.ioWait(pipe.readFd(), mode, 0);
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class);
    Fiber fiber = scheduler.spawn(() -> Scheduler.ioWait(pipe.readFd(), mode, 0));
    scheduler.run();
    assertThat(fiber.failure())
        .get()
        .isInstanceOf(IllegalArgumentException.class)
        .asString()
        .contains("mode " + mode, "fd " + pipe.readFd(), "READ");
    assertThat(scheduler.anyIoWaiter()).isFalse();
  }

  @Test
  void ioWait_ofANegativeFd_isEbadf_inAFiber() {
    Fiber fiber = scheduler.spawn(() -> Scheduler.ioWait(-7, READ, -1));
    scheduler.run();
    assertThat(fiber.failure())
        .get()
        .isInstanceOf(ErrnoException.class)
        .asString()
        .contains("fd -7");
  }

  // ---- bodies that throw

  @Test
  void body_thatThrows_endsThatFiberAlone() {
    List<Throwable> thrown =
        List.of(
            new RuntimeException("runtime"),
            new IOException("checked"),
            new AssertionError("error"),
            new LinkageError("linkage"),
            new OutOfMemoryError("made up"));
    for (Throwable t : thrown) {
      Fiber fiber = scheduler.spawn("failing", () -> sneak(t));
      scheduler.runUntilEmpty();
      assertThat(fiber.isAlive()).isFalse();
      assertThat(fiber.failure()).containsSame(t);
    }
    assertThat(uncaught).isEqualTo(thrown);
    assertThat(Scheduler.inFiber()).isFalse();
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> void sneak(Throwable t) throws T {
    throw (T) t;
  }

  @Test
  @Tag("slow")
  void body_thatOverflowsItsStack_endsThatFiberAlone() {
    Fiber fiber = scheduler.spawn("deep", () -> deeper(0));
    scheduler.run();
    assertThat(fiber.failure()).get().isInstanceOf(StackOverflowError.class);
    assertThat(uncaught).hasSize(1);
  }

  @SuppressWarnings("InfiniteRecursion") // on purpose
  private static long deeper(long n) {
    return deeper(n + 1) + 1;
  }

  @Test
  void body_thatThrowsAfterAWait_endsThatFiberAlone() {
    Fiber fiber =
        scheduler.spawn(() -> {
          Scheduler.pause(0.0001);
          throw new IOException("later");
        });
    scheduler.run();
    assertThat(fiber.failure()).get().isInstanceOf(IOException.class);
  }

  @Test
  void onUncaught_thatThrows_isLoggedOnly() {
    List<String> seen = new ArrayList<>();
    try (Scheduler other =
        Scheduler.builder()
            .onUncaught((fiber, t) -> {
              seen.add(fiber.name());
              throw new AssertionError("by the handler, on purpose");
            })
            .build()) {
      Fiber failing =
          other.spawn(
              "failing",
              () -> {
                throw new IOException("first");
              });
      other.spawn(() -> seen.add("other"));
      other.run();
      assertThat(seen).containsExactly("failing", "other");
      assertThat(failing.failure()).get().isInstanceOf(IOException.class);
    }
  }

  @Test
  void onUncaught_runsInTheFiberThatEnds_andMayPark() {
    List<String> seen = new ArrayList<>();
    try (Scheduler other =
        Scheduler.builder()
            .onUncaught((fiber, t) -> {
              assertThat(Fiber.current()).isSameAs(fiber);
              assertThat(fiber.isAlive()).isTrue();
              Thread.onSpinWait();
              seen.add(fiber.name() + " " + t.getMessage());
            })
            .build()) {
      other.spawn(
          "failing",
          () -> {
            throw new IOException("x");
          });
      other.run();
    }
    assertThat(seen).containsExactly("failing x");
  }

  // ---- nulls

  @Test
  @SuppressWarnings("NullAway")
  void nulls_areRefusedAtOnce() {
    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> scheduler.spawn(null),
            () -> scheduler.spawn("name", null),
            () -> scheduler.spawn(null, () -> {}),
            () -> scheduler.execute(null),
            () -> scheduler.threadFactory().newThread(null),
            () -> scheduler.runFor(null),
            () -> Scheduler.pause(null),
            () -> Scheduler.ioWait(0, READ, null),
            () -> Scheduler.builder().name(null),
            () -> Scheduler.builder().kernel(null),
            () -> Scheduler.builder().clock(null),
            () -> Scheduler.builder().poller(null),
            () -> Scheduler.builder().onUncaught(null))) {
      assertThatThrownBy(call).isInstanceOf(NullPointerException.class);
    }
    assertThat(scheduler.aliveCount()).isOne();
  }

  // ---- a closed scheduler

  @Test
  void closed_refusesEverythingThatWouldRun_andSaysWhatToDo() {
    Thread unstarted = scheduler.threadFactory().newThread(() -> log.add("never"));
    scheduler.close();
    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> scheduler.spawn(() -> {}),
            () -> scheduler.spawn("name", () -> {}),
            () -> scheduler.threadFactory().newThread(() -> {}),
            () -> scheduler.tick(0),
            scheduler::runUntilEmpty,
            () -> scheduler.runFor(0),
            scheduler::run,
            scheduler::clear)) {
      assertThatThrownBy(call)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed")
          .hasMessageContaining("Scheduler.create()");
    }
    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> scheduler.execute(() -> {}),
            () -> assertThat(CompletableFuture.runAsync(() -> {}, scheduler)).isNotDone(),
            unstarted::start)) {
      assertThatThrownBy(call)
          .isInstanceOf(RejectedExecutionException.class)
          .hasMessageContaining("closed");
    }
    assertThat(log).doesNotContain("never");
  }

  @Test
  void closed_stillAnswersQuestions() {
    scheduler.close();
    assertThat(scheduler.aliveCount()).isZero();
    assertThat(scheduler.fibers()).isEmpty();
    assertThat(scheduler.anyIoWaiter()).isFalse();
    assertThat(scheduler.nextWakeNanos()).isEmpty();
    assertThat(scheduler.dump()).contains("strictly speaking");
    scheduler.stop();
    scheduler.close();
  }

  // ---- a fiber that waits for itself

  @Test
  void join_ofItself_isIllegalState_thatNamesIt() {
    Fiber fiber = scheduler.spawn("narcissus", () -> Fiber.current().join());
    scheduler.run();
    assertThat(fiber.failure())
        .get()
        .isInstanceOf(IllegalStateException.class)
        .asString()
        .contains("narcissus");
  }

  @Test
  void join_withANegativeLimit_looksOnce() throws Exception {
    Fiber fiber = scheduler.spawn(() -> Scheduler.pause(0.001));
    scheduler.tick(0); // from now on this thread is the driver, and join drives
    assertThat(fiber.join(Duration.ofNanos(-1))).isFalse();
    assertThat(fiber.join(Duration.ofHours(1))).isTrue();
  }
}
