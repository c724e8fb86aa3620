package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.TimeKernel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** R8: many fibers that drive at once, and fibers that step for each other. */
@FdTest
class NestedDepthTest {
  /** How many fibers may drive at once. */
  private static final int DEEPEST = 500;

  private static final int MANY = 5_000;

  private final ManualClock clock = new ManualClock();
  private final TimeKernel kernel = new TimeKernel(clock);
  private final List<String> log = new ArrayList<>();

  private Scheduler scheduler() {
    return Scheduler.builder().kernel(kernel).clock(clock).build();
  }

  // ---- fibers that step for each other

  @Test
  void r8_fibersThatStepForEachOther_doNotHang() throws Exception {
    boolean[] flag = new boolean[1];
    try (Scheduler s = scheduler()) {
      Fiber a =
          s.spawn(
              "a",
              () -> {
                log.add("a " + s.tick(10));
                flag[0] = true;
              });
      Fiber b = s.spawn("b", () -> log.add("b " + ticksUntil(s, flag)));
      s.run();
      assertThat(List.of(a, b)).allMatch(f -> f.failure().isEmpty());
    }
    assertThat(log).first().isEqualTo("a true");
    assertThat(log).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 10})
  void r8_aRingOfFibersThatStepForTheNext_doesNotHang(int size) throws Exception {
    try (Scheduler s = scheduler()) {
      boolean[][] flags = new boolean[size][1];
      List<Fiber> fibers = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        int id = i;
        fibers.add(
            s.spawn(() -> {
              s.tick(10);
              flags[id][0] = true;
              ticksUntil(s, flags[(id + 1) % size]);
              log.add("done");
            }));
      }
      s.run();
      assertThat(fibers).allMatch(f -> f.failure().isEmpty());
    }
    assertThat(log).hasSize(size);
  }

  @Test
  void r8_fibersThatRunForEachOther_inShortTurns_doNotHang() throws Exception {
    boolean[] flag = new boolean[1];
    try (Scheduler s = scheduler()) {
      Fiber a =
          s.spawn(
              "a",
              () -> {
                s.runFor(0.010);
                flag[0] = true;
              });
      Fiber b =
          s.spawn(
              "b",
              () -> {
                for (int calls = 0; !flag[0]; calls++) {
                  assertThat(calls).as("calls without a turn for the other").isLessThan(MANY);
                  clock.advanceNanos(1_000_000);
                  s.runFor(0.001);
                }
              });
      s.run();
      assertThat(List.of(a, b)).allMatch(f -> f.failure().isEmpty());
    }
  }

  /** Lets others run until they raise the flag; returns after how many ticks. */
  private static int ticksUntil(Scheduler s, boolean[] flag) {
    int ticks = 0;
    while (!flag[0]) {
      assertThat(ticks++).as("ticks without a turn for the other").isLessThan(MANY);
      s.tick(10);
    }
    return ticks;
  }

  @Test
  void r8_tick_givesOneResume_whenTheOtherDrivesToo() throws Exception {
    try (Scheduler s = scheduler()) {
      s.spawn(() -> log.add("a " + s.tick(0)));
      s.spawn(() -> {
        log.add("b1 " + s.tick(0));
        log.add("b2 " + s.tick(0));
      });
      s.spawn(() -> log.add("c"));
      s.spawn(() -> log.add("d"));
      s.spawn(() -> log.add("e"));
      s.run();
    }
    // What a gave b is one resume: c is b's, and b goes on up to its next driving call.
    assertThat(log).containsExactly("c", "b1 true", "a true", "d", "b2 true", "e");
  }

  @Test
  void r8_ticksOfMany_returnInnermostFirst() throws Exception {
    try (Scheduler s = scheduler()) {
      for (int i = 0; i < 5; i++) {
        int id = i;
        s.spawn(() -> log.add(id + " " + s.tick(0)));
      }
      s.spawn(() -> log.add("other"));
      s.run();
    }
    assertThat(log).containsExactly("other", "4 true", "3 true", "2 true", "1 true", "0 true");
  }

  // ---- depth

  @Test
  @Tag("slow")
  void r8_thousandsOfFibersThatTick_allEnd_andTheStackSuffices() throws Exception {
    int[] ended = new int[1];
    Elsewhere.run(() -> { // a thread whose stack has the usual size
      try (Scheduler s = scheduler()) {
        List<Fiber> fibers = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
          fibers.add(
              s.spawn(() -> {
                s.tick(0);
                ended[0]++;
              }));
        }
        s.run();
        assertThat(fibers).noneMatch(Fiber::isAlive).allMatch(f -> f.failure().isEmpty());
      }
    });
    assertThat(ended[0]).isEqualTo(MANY);
  }

  @Test
  @Tag("slow")
  void r8_thousandsOfFibersThatDriveInAnyWay_allEnd_orAreRefused() throws Exception {
    int[] ended = new int[1];
    int[] refused = new int[1];
    Elsewhere.run(() -> {
      try (Scheduler s = scheduler()) {
        List<Fiber> fibers = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
          int kind = i % 3;
          fibers.add(
              s.spawn(
                  "number " + i,
                  () -> {
                    try {
                      switch (kind) {
                        case 0 -> s.tick(0);
                        case 1 -> s.runUntilEmpty();
                        default -> s.runFor(0.001);
                      }
                    } catch (IllegalStateException e) {
                      assertThat(e).hasMessageContaining(Fiber.current().name() + " cannot drive");
                      assertThat(kind).as("tick is never refused").isNotZero();
                      refused[0]++;
                    }
                    ended[0]++;
                  }));
        }
        s.run();
        assertThat(fibers).noneMatch(Fiber::isAlive).allMatch(f -> f.failure().isEmpty());
      }
    });
    assertThat(ended[0]).isEqualTo(MANY);
    assertThat(refused[0]).isPositive();
  }

  @Test
  void r8_atTheDeepest_tickGivesTurns_andTheOtherCallsAreRefused() throws Exception {
    Elsewhere.run(() -> {
      try (Scheduler s = scheduler()) {
        Fiber first = s.spawn("depth 1", () -> descend(s, 1));
        s.run();
        assertThat(first.failure()).isEmpty();
      }
    });
    List<String> expected = new ArrayList<>();
    expected.add("other");
    expected.add("tick true");
    expected.add("tick false");
    for (int depth = DEEPEST; depth > 0; depth--) {
      expected.add("returned " + depth);
    }
    assertThat(log).isEqualTo(expected);
  }

  private void descend(Scheduler s, int depth) {
    if (depth > DEEPEST) {
      beyond(s);
      return;
    }
    Fiber next = s.spawn("depth " + (depth + 1), () -> descend(s, depth + 1));
    s.run();
    assertThat(next.failure()).isEmpty();
    log.add("returned " + depth);
  }

  private void beyond(Scheduler s) {
    List<FiberBody> calls = List.of(s::run, () -> s.runFor(1), s::runUntilEmpty, () -> s.runFor(0));
    for (FiberBody call : calls) {
      assertThatThrownBy(call::run)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("fiber depth " + (DEEPEST + 1) + " cannot drive")
          .hasMessageContaining(DEEPEST + " fibers do so already");
    }
    s.spawn(() -> log.add("other"));
    log.add("tick " + s.tick(0));
    log.add("tick " + s.tick(0));
  }

  // ---- errors

  /** A kernel in which one poll throws. */
  private final class Throwing extends ForwardingKernel {
    private Throwable next;

    Throwing() {
      super(kernel);
    }

    @Override
    protected int look(long timeoutNanos, Look call) {
      Throwable now = next;
      next = null;
      if (now instanceof Error e) {
        throw e;
      }
      if (now instanceof RuntimeException e) {
        throw e;
      }
      return super.look(timeoutNanos, call);
    }
  }

  @Test
  void r8_whatIsThrownInANestedCall_reachesTheFiberThatMadeIt() throws Exception {
    Throwing throwing = new Throwing();
    try (Scheduler s = Scheduler.builder().kernel(throwing).clock(clock).build()) {
      Fiber other =
          s.spawn(() -> {
            Scheduler.pause(1);
            log.add("other");
          });
      Fiber outer =
          s.spawn(
              "outer",
              () -> {
                s.run();
                log.add("outer");
              });
      Fiber inner = s.spawn("inner", () -> catches(s, throwing));
      s.run();
      assertThat(List.of(other, inner, outer)).allMatch(f -> f.failure().isEmpty());
      Fiber later = s.spawn(() -> log.add("later"));
      s.run();
      assertThat(later.isAlive()).isFalse();
    }
    assertThat(log).containsExactly("error", "exception", "inner", "other", "outer", "later");
  }

  private void catches(Scheduler s, Throwing throwing) throws Exception {
    Error error = new StackOverflowError("in a nested call");
    throwing.next = error;
    assertThatThrownBy(() -> s.runFor(0.001)).isSameAs(error);
    log.add("error");
    RuntimeException exception = new IllegalStateException("in a nested call");
    throwing.next = exception;
    assertThatThrownBy(() -> s.tick(1)).isSameAs(exception);
    log.add("exception");
    Scheduler.pause(0.5);
    log.add("inner");
  }
}
