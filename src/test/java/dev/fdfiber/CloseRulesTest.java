package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.SocketPair;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;

/** R21: closing a scheduler. */
@FdTest
class CloseRulesTest {
  @Test
  void r21_close_cancelsWhateverIsParked(SocketPair pair) {
    ReentrantLock lock = new ReentrantLock();
    lock.lock();
    Scheduler s = Scheduler.create();
    List<Fiber> fibers = new ArrayList<>();
    fibers.add(s.spawn("pause", () -> Scheduler.pause(1000)));
    fibers.add(s.spawn("for ever", () -> Scheduler.pause(Double.POSITIVE_INFINITY)));
    fibers.add(s.spawn("io", () -> Scheduler.ioWait(pair.a(), READ, -1)));
    fibers.add(s.spawn("take", () -> new LinkedBlockingQueue<>().take()));
    fibers.add(s.spawn("sleep", () -> Thread.sleep(1_000_000))); // sleeps on purpose
    fibers.add(s.spawn("lock", lock::lockInterruptibly));
    fibers.add(s.spawn("join", () -> fibers.getFirst().join()));
    fibers.add(s.spawn("recv", () -> Sock.recvSome(pair.a(), 0)));
    fibers.add(s.spawn("read", () -> FdChannel.borrow(pair.a()).read(ByteBuffer.allocate(1))));
    s.runUntilEmpty();
    Fiber unstarted = s.spawn("never started", () -> Scheduler.pause(1000));
    fibers.add(unstarted);
    assertThat(fibers).allMatch(Fiber::isAlive);
    s.close();
    assertThat(fibers).noneMatch(Fiber::isAlive);
    assertThat(fibers).noneMatch(f -> f.thread().isAlive());
    assertThat(fibers).filteredOn(f -> f.failure().isEmpty()).isEmpty();
    assertThat(s.aliveCount()).isZero();
    assertThat(s.fibers()).isEmpty();
    assertThat(s.anyIoWaiter()).isFalse();
    assertThat(s.nextWakeNanos()).isEmpty();
  }

  @Test
  void r21_close_endsVirtualThreadsThatFibersStarted() throws Exception {
    List<Thread> children = new ArrayList<>();
    List<String> seen = new ArrayList<>();
    Scheduler s = Scheduler.create();
    s.spawn(() -> {
      for (int i = 0; i < 3; i++) {
        children.add(
            Thread.startVirtualThread(() -> {
              try {
                new LinkedBlockingQueue<>().take();
              } catch (InterruptedException e) {
                seen.add("cancelled");
              }
            }));
      }
    });
    s.runUntilEmpty();
    assertThat(s.aliveCount()).isEqualTo(3);
    s.close();
    assertThat(seen).containsExactly("cancelled", "cancelled", "cancelled");
    assertThat(children).noneMatch(Thread::isAlive);
  }

  @Test
  void r21_closeOfASchedulerNeverDriven_runsItsFibersToTheirFirstWait() {
    List<String> seen = new ArrayList<>();
    Scheduler s = Scheduler.create();
    s.spawn(() -> {
      seen.add("ran");
      Scheduler.pause(0);
      seen.add("never");
    });
    s.close();
    assertThat(seen).containsExactly("ran");
  }

  @Test
  void r21_cleanup_mayWaitAndSpawnNothing() {
    List<String> seen = new ArrayList<>();
    Scheduler s = Scheduler.create();
    s.spawn(() -> {
      try {
        Scheduler.pause(1000);
      } finally {
        Scheduler.pause(0.000_001);
        seen.add("waited");
        assertThatThrownBy(() -> s.spawn(() -> {})).isInstanceOf(IllegalStateException.class);
      }
    });
    s.runUntilEmpty();
    s.close();
    assertThat(seen).containsExactly("waited");
  }

  @Test
  void r21_twice_isFine() throws Exception {
    Scheduler s = Scheduler.create();
    s.spawn(() -> Scheduler.pause(1000));
    s.close();
    s.close();
    Thread other = Thread.ofPlatform().start(s::close);
    other.join();
    assertThatThrownBy(() -> s.spawn(() -> {})).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> s.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
    assertThatThrownBy(s::run).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void r21_closeLeavesNoDescriptorAndNoFiber_howeverOften() {
    for (int i = 0; i < 50; i++) {
      try (Scheduler s = Scheduler.create();
          Fds.Pair pipe = Fds.pipe()) {
        s.spawn(() -> Scheduler.ioWait(pipe.a(), READ, -1));
        s.runFor(Duration.ofNanos(1000)); // blocks, so it has an eventfd
      }
    }
    // @FdTest looks at the descriptors
  }

  @Test
  void r21_anUnparkAfterClose_isDropped() {
    LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
    CountDownLatch latch = new CountDownLatch(1);
    Scheduler s = Scheduler.create();
    Fiber takes = s.spawn(() -> queue.take());
    Fiber awaits = s.spawn(() -> latch.await());
    s.runUntilEmpty();
    s.close();
    queue.add("late");
    latch.countDown();
    takes.cancel();
    takes.thread().interrupt();
    awaits.cancel();
    assertThat(queue).containsExactly("late");
  }

  @Test
  void r21_closeByAnotherThread_stopsTheDriverFirst() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    Scheduler s = Scheduler.create();
    Fiber waits =
        s.spawn(() -> {
          running.countDown();
          Scheduler.pause(1000);
        });
    Thread driver = Thread.ofPlatform().start(s::run);
    running.await();
    s.close();
    driver.join();
    assertThat(waits.failure()).get().isInstanceOf(InterruptedException.class);
  }

  @Test
  void r21_fiberThatEndsAnotherInItsCleanup_isNoProblem() {
    Scheduler s = Scheduler.create();
    Fiber[] fibers = new Fiber[10];
    for (int i = 0; i < fibers.length; i++) {
      int next = (i + 1) % fibers.length;
      fibers[i] =
          s.spawn(() -> {
            try {
              Scheduler.pause(1000);
            } finally {
              fibers[next].cancel();
            }
          });
    }
    s.runUntilEmpty();
    s.close();
    assertThat(fibers).noneMatch(Fiber::isAlive);
  }

  @Test
  void r21_clear_leavesASchedulerThatWorks(Pipe pipe) throws Exception {
    try (Scheduler s = Scheduler.create()) {
      Fiber waits = s.spawn(() -> Scheduler.ioWait(pipe.readFd(), READ, 1000));
      s.runUntilEmpty();
      s.clear();
      s.clear();
      assertThat(waits.isAlive()).isFalse();
      assertThat(s.aliveCount()).isZero();
      assertThat(s.anyIoWaiter()).isFalse();
      assertThat(s.nextWakeNanos()).isEmpty();
      List<Integer> seen = new ArrayList<>();
      s.spawn(() -> seen.add(Scheduler.ioWait(pipe.readFd(), READ, -1)));
      Fds.write(pipe.writeFd(), "x");
      s.run();
      assertThat(seen).containsExactly(READ);
    }
  }
}
