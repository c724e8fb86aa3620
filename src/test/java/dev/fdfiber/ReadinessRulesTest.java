package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static dev.fdfiber.Scheduler.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.SocketPair;
import dev.fdfiber.testing.TimeKernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** R13: what a wait returns, and when. */
@FdTest
class ReadinessRulesTest {
  private final ManualClock clock = new ManualClock();
  private final TimeKernel kernel = new TimeKernel(clock);
  private final Scheduler scheduler = Scheduler.builder().kernel(kernel).clock(clock).build();
  private final List<Integer> seen = new ArrayList<>();

  @AfterEach
  void close() {
    scheduler.close();
  }

  private Fiber spawnWait(int fd, int mode, double seconds) {
    return scheduler.spawn(() -> seen.add(Scheduler.ioWait(fd, mode, seconds)));
  }

  @Test
  void r13_returnsTheBitsOfTheAskedMode_andNoOther(
      SocketPair both, SocketPair writable, SocketPair readable) throws Exception {
    Fds.write(both.b(), "x");
    Fds.write(readable.b(), "x");
    Fds.fill(readable.a());
    for (int fd : new int[] {both.a(), writable.a(), readable.a()}) {
      for (int mode = 1; mode <= 3; mode++) {
        spawnWait(fd, mode, 0);
      }
    }
    scheduler.run();

    // one fiber after the other, since timeouts come before what is ready
    assertThat(seen.subList(0, 2)).containsExactly(0, 0);
    assertThat(seen.subList(2, 9)).containsExactly(READ, WRITE, 3, WRITE, WRITE, READ, READ);
  }

  @Test
  void r13_waitersOfOneFd_eachGetTheirOwnBits(SocketPair pair) throws Exception {
    Fds.fill(pair.a());
    spawnWait(pair.a(), READ | WRITE, -1);
    spawnWait(pair.a(), READ, -1);
    spawnWait(pair.a(), WRITE, 60);
    scheduler.runUntilEmpty();
    assertThat(seen).isEmpty();
    Fds.write(pair.b(), "x");

    scheduler.run();

    assertThat(seen).containsExactly(READ, READ, 0);
  }

  @Test
  void r13_timeout_returns0_exactlyThen(Pipe pipe) throws Exception {
    long start = clock.nanoTime();
    spawnWait(pipe.readFd(), READ, 0.25);
    scheduler.run();

    assertThat(seen).containsExactly(0);
    assertThat(clock.nanoTime() - start).isEqualTo(250_000_000);
    assertThat(scheduler.anyIoWaiter()).isFalse();
  }

  @Test
  void r13_readinessWinsOverATimeoutInTheSamePass(Pipe pipe) throws Exception {
    spawnWait(pipe.readFd(), READ, 0.25);
    scheduler.runUntilEmpty();
    clock.advance(Duration.ofHours(1));
    Fds.write(pipe.writeFd(), "x");

    scheduler.run();

    assertThat(seen).containsExactly(READ);
    assertThat(scheduler.nextWakeNanos()).isEmpty();
  }

  @Test
  void r13_dataAlreadyThere_returnsInTheNextPass(Pipe pipe) throws Exception {
    Fds.write(pipe.writeFd(), "x");
    spawnWait(pipe.readFd(), READ, -1);
    assertThat(scheduler.tick(0)).isTrue();
    assertThat(scheduler.tick(0)).isTrue();
    assertThat(seen).containsExactly(READ);
  }

  @Test
  void r13_isLevelTriggered(Pipe pipe) throws Exception {
    Fds.write(pipe.writeFd(), "xx");
    scheduler.spawn(() -> {
      for (int i = 0; i < 100; i++) {
        seen.add(Scheduler.ioWait(pipe.readFd(), READ, -1)); // reads nothing
      }
      Fds.read(pipe.readFd());
      seen.add(Scheduler.ioWait(pipe.readFd(), READ, 0.01));
    });
    scheduler.run();

    assertThat(seen.subList(0, 100)).containsOnly(READ);
    assertThat(seen).hasSize(101).endsWith(0);
  }

  @Test
  void r13_dataTakenByAnotherBeforeTheFiberRuns_isStillWhatWasSeen(Pipe pipe) throws Exception {
    scheduler.spawn(() -> {
      Scheduler.ioWait(pipe.readFd(), READ, -1);
      Fds.read(pipe.readFd());
    });
    scheduler.spawn(() -> {
      seen.add(Scheduler.ioWait(pipe.readFd(), READ, -1));
      assertThat(Fds.read(pipe.readFd())).isNull();
      seen.add(Scheduler.ioWait(pipe.readFd(), READ, 1));
    });
    scheduler.runUntilEmpty();
    Fds.write(pipe.writeFd(), "x");

    scheduler.run();

    assertThat(seen).containsExactly(READ, 0);
  }

  @Test
  void r13_aWaitThatIsOver_isNotSeenAgain(Pipe pipe) throws Exception {
    Fds.write(pipe.writeFd(), "x");
    spawnWait(pipe.readFd(), READ, 10);
    scheduler.run();
    assertThat(scheduler.anyIoWaiter()).isFalse();
    assertThat(scheduler.nextWakeNanos()).isEmpty();
    int polls = kernel.timeouts().size();
    scheduler.spawn(() -> Scheduler.pause(5));
    scheduler.run();
    assertThat(kernel.timeouts()).hasSizeLessThanOrEqualTo(polls + 3);
  }

  @Test
  void r14_aClosedFd_isEbadfAtOnce_alsoAsTheFirstWaitOfAScheduler() throws Exception {
    Fds.Pair pipe = Fds.pipe();
    pipe.close();
    Fiber fiber = spawnWait(pipe.a(), READ, 5);
    long start = clock.nanoTime();

    scheduler.run();

    assertThat(clock.nanoTime()).as("no wait").isEqualTo(start);
    assertThat(fiber.failure())
        .get()
        .isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBADF));
  }
}
