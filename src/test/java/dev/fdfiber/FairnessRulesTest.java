package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Pipe;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** R3: nothing starves anything. */
@FdTest
class FairnessRulesTest {
  private final ManualClock clock = new ManualClock();
  private final LookCounter looks = new LookCounter();
  // Each look is a call there, also one that asks about nothing.
  private final Scheduler scheduler =
      Scheduler.builder().poller(PollerKind.POLL).kernel(looks).clock(clock).build();
  private boolean done;

  /** Counts the polls, and the resumes between two of them. */
  private final class LookCounter extends ForwardingKernel {
    int polls;
    int resumes;
    int longestGap;

    LookCounter() {
      super(Kernel.system());
    }

    void resumed() {
      longestGap = Math.max(longestGap, ++resumes);
    }

    @Override
    protected int look(long timeoutNanos, Look next) {
      polls++;
      resumes = 0;
      int found = super.look(0, next);
      if (found == 0 && timeoutNanos > 0) {
        clock.advanceNanos(timeoutNanos);
      }
      return found;
    }
  }

  @AfterEach
  void close() {
    scheduler.close();
  }

  private void spawnYielders(int fibers, int yieldsOfEach) {
    for (int i = 0; i < fibers; i++) {
      scheduler.spawn(() -> {
        for (int n = 0; n < yieldsOfEach; n++) {
          looks.resumed();
          Scheduler.pause(0);
        }
        looks.resumed();
      });
    }
  }

  /** A fiber whose time comes after a millisecond. */
  private void spawnTimer() {
    scheduler.spawn(() -> {
      Scheduler.pause(0.001);
      done = true;
    });
  }

  /** Without a wait for a descriptor there is nothing to look at. */
  private void spawnWaiter(Pipe idle) {
    scheduler.spawn(() -> Scheduler.ioWait(idle.readFd(), READ, -1));
    scheduler.runUntilEmpty();
    looks.polls = 0;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 40, 63, 64, 65, 100, 127, 128, 300})
  void r3_looksAtTheLatestEvery64Resumes(int fibers, Pipe idle) {
    spawnWaiter(idle);
    spawnYielders(fibers, 200);

    int resumes = scheduler.runUntilEmpty();

    assertThat(resumes).isEqualTo(fibers * 201);
    assertThat(looks.longestGap).isLessThanOrEqualTo(64);
    assertThat(looks.polls).as("nor more often than that").isLessThanOrEqualTo(resumes / 40 + 2);
  }

  @Test
  void r3_looksAtTheLatestEvery64Resumes_whenFibersMultiply(Pipe idle) {
    spawnWaiter(idle);
    for (int round = 0; round < 5; round++) {
      scheduler.spawn(() -> multiply(7)); // 1, 2, 4 ... 128 in the queue
    }
    scheduler.runUntilEmpty();

    assertThat(looks.longestGap).isLessThanOrEqualTo(64);
  }

  private void multiply(int generations) {
    looks.resumed();
    if (generations > 0) {
      scheduler.spawn(() -> multiply(generations - 1));
      scheduler.spawn(() -> multiply(generations - 1));
    }
  }

  @Test
  void r3_looksAtTheLatestEvery64Ticks(Pipe idle) {
    spawnWaiter(idle);
    spawnYielders(3, 100);
    while (scheduler.tick(0)) {
      assertThat(looks.longestGap).isLessThanOrEqualTo(64);
    }
    assertThat(looks.polls).isLessThanOrEqualTo(303 / 64 + 2);
  }

  @Test
  void r3_aYieldLoop_starvesNoTimer() throws Exception {
    spawnTimer();
    int[] rounds = new int[1];
    scheduler.spawn(() -> yieldUntilDone(rounds, () -> clock.advance(Duration.ofMillis(1))));

    scheduler.run();

    assertThat(rounds[0]).isBetween(1, 65);
  }

  @Test
  void r3_aYieldLoop_starvesNoFd(Pipe pipe) throws Exception {
    scheduler.spawn(() -> {
      Scheduler.ioWait(pipe.readFd(), READ, -1);
      done = true;
    });
    int[] rounds = new int[1];
    scheduler.spawn(() -> yieldUntilDone(rounds, () -> Fds.write(pipe.writeFd(), "x")));

    scheduler.run();

    assertThat(rounds[0]).isBetween(1, 65);
  }

  @Test
  void r3_aYieldLoop_starvesNoOtherFiber() throws Exception {
    int[] other = new int[1];
    int[] rounds = new int[1];
    scheduler.spawn(() -> yieldUntilDone(rounds, () -> {}));
    scheduler.spawn(() -> {
      for (; other[0] < 1000; other[0]++) {
        Scheduler.pause(0);
      }
      done = true;
    });

    scheduler.run();

    assertThat(rounds[0]).isBetween(999, 1002);
  }

  @Test
  @SuppressWarnings("ThreadPriorityCheck") // the yield is the subject
  void r3_aThreadYieldLoop_starvesNoTimer() throws Exception {
    spawnTimer();
    int[] rounds = new int[1];
    scheduler.spawn(() -> {
      clock.advance(Duration.ofMillis(1));
      for (; !done; rounds[0]++) {
        Thread.yield();
      }
    });

    scheduler.run();

    assertThat(rounds[0]).isBetween(1, 65);
  }

  @Test
  void r3_aStreamOfReadyFds_starvesNoTimer(Pipe pipe) throws Exception {
    Fds.write(pipe.writeFd(), "never read, so always ready");
    spawnTimer();
    int[] rounds = new int[1];
    for (int i = 0; i < 10; i++) {
      scheduler.spawn(() -> {
        for (; !done; rounds[0]++) {
          Scheduler.ioWait(pipe.readFd(), READ, -1);
          clock.advance(Duration.ofNanos(10_000)); // due after a hundred of them
        }
      });
    }

    scheduler.run();

    assertThat(rounds[0]).isBetween(100, 100 + 64 + 10);
  }

  @Test
  void r3_aStreamOfReadyFds_starvesNoYieldingFiber(Pipe pipe) throws Exception {
    Fds.write(pipe.writeFd(), "always ready");
    int[] rounds = new int[1];
    scheduler.spawn(() -> {
      for (; !done; rounds[0]++) {
        Scheduler.ioWait(pipe.readFd(), READ, -1);
      }
    });
    scheduler.spawn(() -> {
      for (int i = 0; i < 640; i++) {
        Scheduler.pause(0);
      }
      done = true;
    });

    scheduler.run();

    assertThat(rounds[0]).as("a look every 64 resumes").isBetween(5, 641);
  }

  @Test
  void r3_aChainOfSpawns_starvesNoTimer() {
    spawnTimer();
    int[] rounds = new int[1];
    scheduler.spawn(() -> {
      clock.advance(Duration.ofMillis(1));
      chain(rounds);
    });

    scheduler.run();

    assertThat(rounds[0]).isBetween(1, 65);
  }

  private void chain(int[] rounds) {
    if (!done) {
      rounds[0]++;
      scheduler.spawn(() -> chain(rounds));
    }
  }

  @Test
  void r3_aLoopThatDrivesInsideAFiber_starvesNoTimer() {
    spawnTimer();
    int[] rounds = new int[1];
    scheduler.spawn(() -> {
      clock.advance(Duration.ofMillis(1));
      for (; !done; rounds[0]++) {
        scheduler.tick(0);
      }
    });
    spawnYielders(2, 200);

    scheduler.run();

    assertThat(rounds[0]).isBetween(1, 66);
  }

  @Test
  void r3_foreignSubmissions_starveNoTimer() {
    spawnTimer();
    int[] rounds = new int[1];
    scheduler.spawn(() -> clock.advance(Duration.ofMillis(1)));
    scheduler.spawn(() -> {
      for (; !done; rounds[0]++) {
        Thread.ofPlatform().start(() -> scheduler.execute(() -> {})).join();
      }
    });

    scheduler.run();

    assertThat(rounds[0]).isLessThanOrEqualTo(65);
  }

  private void yieldUntilDone(int[] rounds, Runnable first) throws InterruptedException {
    first.run();
    for (; !done; rounds[0]++) {
      Scheduler.pause(0);
    }
  }
}
