package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static dev.fdfiber.Scheduler.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.SocketPair;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** R6: pause and ioWait where no fiber calls. */
@FdTest
class OutsideFibersTest {

  @Test
  void r6_pause_sleepsTheCallingThread() throws Exception {
    long start = System.nanoTime();
    Scheduler.pause(0.02); // sleeps on purpose
    Scheduler.pause(Duration.ofMillis(20)); // sleeps on purpose
    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(40_000_000);
  }

  @Test
  void r6_pause0_returnsAtOnce_alsoInAVirtualThread() throws Exception {
    Scheduler.pause(0);
    Scheduler.pause(Duration.ZERO);
    Elsewhere.runVirtual(() -> Scheduler.pause(0));
  }

  @Test
  void r6_pause_drivesNobody() throws Exception {
    try (Scheduler scheduler = Scheduler.create()) {
      Fiber fiber = scheduler.spawn(() -> {});
      Scheduler.pause(0.001); // sleeps on purpose
      assertThat(fiber.isAlive()).isTrue();
      scheduler.run();
    }
  }

  @Test
  void r6_ioWait_returnsTheBits(SocketPair pair) throws Exception {
    assertThat(Scheduler.ioWait(pair.a(), READ | WRITE, 1)).isEqualTo(WRITE);
    Fds.write(pair.b(), "x");
    assertThat(Scheduler.ioWait(pair.a(), READ, -1)).isEqualTo(READ);
    assertThat(Scheduler.ioWait(pair.a(), READ | WRITE, -1)).isEqualTo(READ | WRITE);
  }

  @Test
  void r6_ioWait_zeroTimeout_looksOnce(Pipe pipe) throws Exception {
    assertThat(Scheduler.ioWait(pipe.readFd(), READ, 0)).isZero();
    Fds.write(pipe.writeFd(), "x");
    assertThat(Scheduler.ioWait(pipe.readFd(), READ, 0)).isEqualTo(READ);
  }

  @Test
  void r6_ioWait_timesOut_notEarly(Pipe pipe) throws Exception {
    long start = System.nanoTime();
    assertThat(Scheduler.ioWait(pipe.readFd(), READ, 0.03)).isZero();
    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(30_000_000);
  }

  @Test
  void r6_ioWait_withoutEnd_returnsWhenThereIsData(Pipe pipe) throws Exception {
    Elsewhere<Integer> waiter = Elsewhere.start(() -> Scheduler.ioWait(pipe.readFd(), READ, -1));
    Fds.write(pipe.writeFd(), "x");
    assertThat(waiter.result()).isEqualTo(READ);
  }

  @Test
  void r6_ioWait_works_inAnOrdinaryVirtualThread(Pipe pipe) throws Exception {
    Fds.write(pipe.writeFd(), "x");
    Elsewhere.runVirtual(() -> {
      assertThat(Scheduler.inFiber()).isFalse();
      assertThat(Scheduler.ioWait(pipe.readFd(), READ, 1)).isEqualTo(READ);
      assertThat(Scheduler.ioWait(pipe.readFd(), WRITE, 0.001)).isZero();
    });
  }

  @Test
  void r6_ioWait_ofAClosedFd_isEbadf() {
    Fds.Pair pipe = Fds.pipe();
    pipe.close();
    for (int fd : new int[] {pipe.a(), -1, Integer.MIN_VALUE}) {
      assertThatThrownBy(() -> Scheduler.ioWait(fd, READ, 1))
          .isInstanceOfSatisfying(
              ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBADF))
          .hasMessageContaining("fd " + fd)
          .hasMessageContaining("EBADF");
    }
  }

  @Test
  void r6_interruptBefore_endsBoth_andClearsTheStatus(Pipe pipe) throws Exception {
    Elsewhere.run(() -> {
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> Scheduler.pause(100)).isInstanceOf(InterruptedException.class);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> Scheduler.ioWait(pipe.readFd(), READ, -1))
          .isInstanceOf(InterruptedException.class);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    });
  }

  @Test
  void r6_interrupt_endsAPauseThatSleeps() throws Exception {
    interruptedWhile(() -> Scheduler.pause(Double.POSITIVE_INFINITY));
    interruptedWhile(() -> Scheduler.pause(Duration.ofDays(1)));
  }

  @Test
  @Tag("slow")
  void r6_interrupt_endsAnIoWaitThatBlocks_wheneverItComes(Pipe pipe) throws Exception {
    for (int i = 0; i < 200; i++) {
      double timeout = i % 2 == 0 ? -1 : 1000;
      interruptedWhile(() -> Scheduler.ioWait(pipe.readFd(), READ, timeout));
    }
  }

  private static int spins;

  private static void interruptedWhile(Elsewhere.Action action) throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    Elsewhere<Void> waiter =
        Elsewhere.begin(() -> {
          started.countDown();
          assertThatThrownBy(action::run).isInstanceOf(InterruptedException.class);
        });
    started.await();
    for (int spin = spins++ % 50 * 1000; spin > 0; spin--) {
      Thread.onSpinWait(); // before, while and after it falls asleep
    }
    waiter.thread().interrupt();
    waiter.result();
  }
}
