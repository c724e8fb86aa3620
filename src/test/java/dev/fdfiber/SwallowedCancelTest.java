package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.SocketPair;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Level;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * R21: fibers that swallow the cancel, each of which keeps close waiting up to its limit of 5 s.
 */
@FdTest
@Tag("slow")
class SwallowedCancelTest {
  private static final Duration TEN_TIMES_THE_LIMIT = Duration.ofSeconds(50);

  private final LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
  private final List<String> seen = new ArrayList<>();

  @Test
  void r21_bodiesThatSwallowTheCancel_areReportedByNameAndGivenUp(SocketPair pair)
      throws Exception {
    Scheduler s = Scheduler.create();
    try (Logged logged = new Logged()) {
      List<Fiber> fibers = new ArrayList<>();
      fibers.add(s.spawn("pauser", () -> forEver(() -> Scheduler.pause(1000))));
      fibers.add(s.spawn("yielder", () -> forEver(() -> Scheduler.pause(0))));
      fibers.add(s.spawn("taker", () -> forEver(() -> seen.add(queue.take()))));
      fibers.add(s.spawn("parker", () -> forEver(SwallowedCancelTest::parks)));
      fibers.add(s.spawn("waiter", () -> forEver(() -> Scheduler.ioWait(pair.a(), 1, -1))));
      fibers.add(s.spawn("receiver", () -> forEver(() -> Sock.recvSome(pair.a(), 0))));
      FdChannel channel = FdChannel.borrow(pair.a());
      fibers.add(s.spawn("reader", () -> forEver(() -> channel.read(ByteBuffer.allocate(1)))));
      Fiber good = s.spawn("good", () -> Scheduler.pause(1000));
      s.runFor(Duration.ofMillis(1));
      long start = System.nanoTime();
      s.close();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(TEN_TIMES_THE_LIMIT);
      assertThat(good.failure()).get().isInstanceOf(InterruptedException.class);
      for (Fiber fiber : fibers) {
        assertThat(logged.at(Level.WARNING))
            .filteredOn(m -> m.contains("fiber " + fiber.name() + " "))
            .hasSize(1);
      }
      assertThat(logged.at(Level.WARNING)).hasSize(fibers.size());
      assertThat(s.aliveCount()).isZero();
      queue.add("late");
      fibers.forEach(Fiber::cancel);
      fibers.forEach(f -> LockSupport.unpark(f.thread()));
      assertThat(seen).as("what was given up never runs again").isEmpty();
      assertThat(queue).containsExactly("late");
      s.close();
    }
  }

  private static void parks() {
    LockSupport.park(); // does not park while the status is set
    Thread.interrupted();
  }

  /** Repeats a wait, whatever it throws. */
  private static void forEver(FiberBody wait) throws Exception {
    while (true) {
      try {
        wait.run();
      } catch (InterruptedException | InterruptedIOException e) {
        assertThat(e).isNotNull();
      }
    }
  }

  @Test
  void r21_whatClearGaveUp_neverRunsAgain() throws Exception {
    try (Scheduler s = Scheduler.create();
        Logged logged = new Logged()) {
      int[] turns = new int[1];
      s.spawn(
          "yielder",
          () ->
              forEver(() -> {
                turns[0]++;
                Scheduler.pause(0);
              }));
      s.spawn("child-maker", () -> Thread.ofVirtual().name("child").start(this::takesForEver));
      s.runFor(Duration.ofMillis(1));
      s.clear();
      assertThat(logged.at(Level.WARNING)).hasSize(2);
      assertThat(s.aliveCount()).isZero();
      assertThat(s.nextWakeNanos()).isEmpty();
      int before = turns[0];
      queue.add("late");
      Fiber works = s.spawn("works", () -> seen.add("works"));
      s.run();
      assertThat(works.failure()).isEmpty();
      assertThat(seen).containsExactly("works");
      assertThat(turns[0]).isEqualTo(before);
      assertThat(s.aliveCount()).isZero();
    }
  }

  private void takesForEver() {
    while (true) {
      try {
        seen.add(queue.take());
      } catch (InterruptedException e) {
        assertThat(e).isNotNull();
      }
    }
  }

  @Test
  void r21_bodyThatSwallowsTheFirstCancelOnly_endsWithTheNext() {
    Scheduler s = Scheduler.create();
    Fiber fiber =
        s.spawn(() -> {
          try {
            Scheduler.pause(1000);
          } catch (InterruptedException e) {
            seen.add("swallowed");
          }
          Scheduler.pause(1000);
        });
    s.runUntilEmpty();
    try (Logged logged = new Logged()) {
      s.close();
      assertThat(logged.isEmpty()).isTrue();
    }
    assertThat(seen).containsExactly("swallowed");
    assertThat(fiber.failure()).get().isInstanceOf(InterruptedException.class);
  }

  @Test
  void r21_ioExceptionSwallowedInALoop_leavesTheOthersTheirTurn(SocketPair pair)
      throws IOException {
    try (Scheduler s = Scheduler.create()) {
      Fiber loops =
          s.spawn(() -> {
            int times = 0;
            while (!seen.contains("other")) {
              try {
                Sock.recvSome(pair.a(), 0);
              } catch (InterruptedIOException e) {
                assertThat(times++).isLessThan(1000);
              }
            }
          });
      s.runUntilEmpty();
      loops.cancel();
      s.spawn(() -> seen.add("other"));
      s.run();
      assertThat(loops.failure()).isEmpty();
    }
  }
}
