package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.WatchedKernel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A driver that really blocks, and what wakes it: R4, R5 and R9. A lost wake-up is a timeout. */
@FdTest
class BlockedDriverTest {
  private final WatchedKernel kernel = new WatchedKernel();
  private final Scheduler scheduler = Scheduler.builder().kernel(kernel).build();
  private final List<String> log = new ArrayList<>();

  @AfterEach
  void close() {
    scheduler.close();
  }

  /** Does it once the driver blocks. */
  private Elsewhere<Void> whenBlocked(Elsewhere.Action action) {
    kernel.forgetBlockingPolls();
    return Elsewhere.begin(() -> {
      kernel.awaitBlockingPoll();
      action.run();
    });
  }

  /** A fiber that keeps the scheduler alive, and whose wait has no end. */
  private Fiber spawnParked() {
    return scheduler.spawn(
        "parked",
        () -> {
          LockSupport.park();
          log.add("unparked");
        });
  }

  @Test
  void r4_tickWithoutEnd_returnsWhenAnFdIsReady(Pipe pipe) throws Exception {
    scheduler.spawn(() -> {
      Scheduler.ioWait(pipe.readFd(), READ, -1);
      log.add("read");
    });
    scheduler.tick(0);
    Elsewhere<Void> writer = whenBlocked(() -> Fds.write(pipe.writeFd(), "x"));

    assertThat(scheduler.tick(-1)).isTrue();

    writer.result();
    assertThat(log).containsExactly("read");
  }

  @Test
  void r4_tickWithoutEnd_returnsAtASubmission() throws Exception {
    Fiber parked = spawnParked();
    scheduler.tick(0);
    Elsewhere<Void> other = whenBlocked(() -> scheduler.spawn(() -> log.add("spawned")));

    assertThat(scheduler.tick(-1)).isTrue();

    other.result();
    assertThat(log).containsExactly("spawned");
    assertThat(kernel.timeouts()).contains(-1L);
    parked.cancel();
  }

  @Test
  void r9_spawn_wakesABlockedDriver() throws Exception {
    wakes(() -> scheduler.spawn(() -> log.add("done")));
  }

  @Test
  void r9_execute_wakesABlockedDriver() throws Exception {
    wakes(() -> scheduler.execute(() -> log.add("done")));
  }

  @Test
  void r9_aThreadOfTheFactory_wakesABlockedDriver() throws Exception {
    wakes(() -> scheduler.threadFactory().newThread(() -> log.add("done")).start());
  }

  @Test
  void r9_runAsync_wakesABlockedDriver() throws Exception {
    wakes(
        () -> assertThat(CompletableFuture.runAsync(() -> log.add("done"), scheduler)).isNotNull());
  }

  private void wakes(Elsewhere.Action action) throws Exception {
    Fiber parked = spawnParked();
    Elsewhere<Void> other =
        whenBlocked(() -> {
          action.run();
          scheduler.stop();
        });
    scheduler.run();
    other.result();
    scheduler.runUntilEmpty();
    assertThat(log).containsExactly("done");
    LockSupport.unpark(parked.thread());
    scheduler.run();
    assertThat(log).containsExactly("done", "unparked");
  }

  @Test
  void r9_spawnAlone_wakesABlockedDriver_withoutAnyOtherSignal() throws Exception {
    Fiber parked = spawnParked();
    Elsewhere<Void> other =
        whenBlocked(() -> scheduler.spawn(() -> LockSupport.unpark(parked.thread())));
    scheduler.run();
    other.result();
    assertThat(log).containsExactly("unparked");
  }

  @Test
  void r9_cancel_wakesABlockedDriver() throws Exception {
    Fiber parked = scheduler.spawn(() -> Scheduler.pause(Double.POSITIVE_INFINITY));
    Elsewhere<Void> other = whenBlocked(parked::cancel);
    scheduler.run();
    other.result();
    assertThat(parked.failure()).containsInstanceOf(InterruptedException.class);
  }

  @Test
  void r9_cancelOfAJdkCall_wakesABlockedDriver() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    Fiber parked = scheduler.spawn(never::await);
    Elsewhere<Void> other = whenBlocked(parked::cancel);
    scheduler.run();
    other.result();
    assertThat(parked.failure()).containsInstanceOf(InterruptedException.class);
  }

  @Test
  void r9_unpark_wakesABlockedDriver() throws Exception {
    Fiber parked = spawnParked();
    Elsewhere<Void> other = whenBlocked(() -> LockSupport.unpark(parked.thread()));
    scheduler.run();
    other.result();
    assertThat(log).containsExactly("unparked");
  }

  @Test
  void r5_stop_wakesABlockedDriver() throws Exception {
    Fiber parked = spawnParked();
    Elsewhere<Void> other = whenBlocked(scheduler::stop);
    scheduler.run();
    other.result();
    assertThat(parked.isAlive()).isTrue();
  }

  @Test
  void r5_run_withNothingButJdkWaits_blocksWithoutEnd_andDoesNotSpin() throws Exception {
    Fiber parked = spawnParked();
    Elsewhere<Void> other = whenBlocked(() -> LockSupport.unpark(parked.thread()));
    scheduler.run();
    other.result();
    assertThat(kernel.timeouts()).hasSizeLessThanOrEqualTo(3).contains(-1L);
  }

  @Test
  void r9_aBurstOfSubmissions_isOneWakeUp() throws Exception {
    Fiber parked = spawnParked();
    Elsewhere<Void> other =
        whenBlocked(() -> {
          for (int i = 0; i < 1000; i++) {
            scheduler.execute(() -> log.add("x"));
          }
          LockSupport.unpark(parked.thread());
        });
    scheduler.run();
    other.result();
    assertThat(log).hasSize(1001).endsWith("unparked");
  }
}
