package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.TimeKernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Joins and questions about a fiber, on the driver and in other threads. */
@FdTest
class JoinFromOutsideTest {
  private final ManualClock clock = new ManualClock();

  private Scheduler scheduler() {
    return Scheduler.builder().clock(clock).kernel(new TimeKernel(clock)).build();
  }

  @Test
  void join_onTheDriverAfterAStop_waitsForTheEnd() throws Exception {
    try (Scheduler s = scheduler()) {
      s.spawn(() -> Scheduler.pause(1));
      s.run(); // now this thread owns it
      Fiber fiber = s.spawn("fiber", () -> Scheduler.pause(2));
      s.stop();
      fiber.join();
      assertThat(fiber.isAlive()).isFalse();
    }
  }

  @Test
  void join_onTheDriver_outlastsStopsByFibers() throws Exception {
    try (Scheduler s = scheduler()) {
      s.runUntilEmpty();
      Fiber stops =
          s.spawn(() -> {
            for (int i = 0; i < 10; i++) {
              s.stop();
              Scheduler.pause(0.1);
            }
          });
      Fiber fiber = s.spawn("fiber", () -> Scheduler.pause(2));
      assertThat(fiber.join(Duration.ofSeconds(3))).isTrue();
      assertThat(stops.isAlive()).isFalse();
    }
  }

  @Test
  void join_onTheDriverAfterAStop_withALimit_waitsForThat() throws Exception {
    try (Scheduler s = scheduler()) {
      s.runUntilEmpty();
      Fiber fiber = s.spawn("fiber", () -> Scheduler.pause(1000));
      s.stop();
      long start = clock.nanoTime();
      assertThat(fiber.join(Duration.ofSeconds(3))).isFalse();
      assertThat(clock.nanoTime() - start).isEqualTo(3_000_000_000L);
      assertThat(fiber.isAlive()).isTrue();
    }
  }

  @Test
  @Tag("slow") // close gives up after 5 s
  void join_byOtherThreads_ofAFiberThatIsGivenUp_returns() throws Exception {
    LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
    List<Elsewhere<?>> others = new ArrayList<>();
    Scheduler s = Scheduler.create();
    try (Logged logged = new Logged()) {
      Fiber fiber = s.spawn("swallows", () -> swallows(queue));
      s.runUntilEmpty();
      others.add(Elsewhere.begin(fiber::join));
      others.add(Elsewhere.begin(() -> assertThat(fiber.join(Duration.ofSeconds(50))).isTrue()));
      others.add(Elsewhere.begin(() -> spinsWhileAlive(fiber)));
      s.close();
      for (Elsewhere<?> other : others) {
        other.result();
      }
      fiber.join(); // and on the thread that drove it
      Elsewhere.run(fiber::join);
      assertThat(fiber.isAlive()).isFalse();
      assertThat(fiber.state()).isEqualTo(Fiber.State.DONE);
      assertThat(fiber.thread().isAlive()).as("it was left unmounted").isTrue();
      assertThat(logged.at(Level.WARNING)).hasSize(1);
    }
  }

  private static void swallows(LinkedBlockingQueue<String> queue) {
    while (true) {
      try {
        queue.take();
      } catch (InterruptedException e) {
        assertThat(e).isNotNull();
      }
    }
  }

  private static void spinsWhileAlive(Fiber fiber) {
    long turns = 0;
    while (fiber.isAlive()) {
      turns++;
    }
    assertThat(turns).isNotNegative();
  }

  @Test
  @Tag("slow") // long enough for the JIT compiler to take a plain read out of the loop
  void isAlive_inAThreadThatSpinsOnIt_isFalseInTheEnd(Scheduler s) throws Exception {
    AtomicBoolean compiled = new AtomicBoolean();
    Fiber fiber =
        s.spawn(() -> {
          while (!compiled.get()) {
            Scheduler.pause(0.01);
          }
        });
    Elsewhere<Void> spins = Elsewhere.begin(() -> spinsWhileAlive(fiber));
    Elsewhere<Void> spinsOnState =
        Elsewhere.begin(() -> {
          while (fiber.state() != Fiber.State.DONE) {
            assertThat(fiber.id()).isPositive();
          }
        });
    s.runFor(0.5);
    compiled.set(true);
    s.run();
    spins.result();
    spinsOnState.result();
  }
}
