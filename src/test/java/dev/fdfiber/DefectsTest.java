package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.TimeKernel;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the ancestor's scheduler did wrong, numbered as there; each must be right here. */
@FdTest
class DefectsTest {
  private static final long MS = 1_000_000;

  private final ManualClock clock = new ManualClock();
  private final TimeKernel kernel = new TimeKernel(clock);
  private final Scheduler scheduler =
      Scheduler.builder().kernel(kernel).clock(clock).onUncaught((fiber, t) -> {}).build();
  private final long start = clock.nanoTime();
  private final List<String> log = new ArrayList<>();

  @AfterEach
  void close() {
    scheduler.close();
  }

  private long passedNanos() {
    return clock.nanoTime() - start;
  }

  @Test
  void defect01_moreThan256Waiters_areAllServed() {
    List<Fds.Pair> pipes = new ArrayList<>();
    List<Integer> woken = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      int id = i;
      Fds.Pair pipe = Fds.pipe();
      pipes.add(pipe);
      scheduler.spawn(() -> {
        assertThat(Scheduler.ioWait(pipe.a(), READ, -1)).isEqualTo(READ);
        woken.add(id);
      });
    }
    scheduler.runUntilEmpty();
    for (int i = 399; i >= 255; i--) {
      Fds.write(pipes.get(i).b(), "x");
    }
    scheduler.runUntilEmpty();

    assertThat(woken).hasSize(145).isSorted().startsWith(255).endsWith(399);
    scheduler.clear();
    pipes.forEach(Fds.Pair::close);
  }

  @Test
  void defect02_fractionsOfASecond_areWaitedFor_exactly() throws Exception {
    try (Fds.Pair pipe = Fds.pipe()) {
      scheduler.spawn(() -> {
        clock.advanceNanos(830 * MS); // wherever in its second the clock stands
        for (int i = 0; i < 3; i++) {
          Scheduler.pause(0.5);
        }
        assertThat(Scheduler.ioWait(pipe.a(), READ, 0.001)).isZero();
      });
      scheduler.run();
    }
    assertThat(passedNanos()).isEqualTo(830 * MS + 1500 * MS + MS);
  }

  @Test
  void defect03_ties_goRoundRobin() {
    for (String name : List.of("A", "B", "C")) {
      scheduler.spawn(() -> {
        for (int i = 0; i < 5; i++) {
          log.add(name);
          Scheduler.pause(0);
        }
      });
    }
    scheduler.run();
    assertThat(String.join("", log)).isEqualTo("ABCABCABCABCABC");
  }

  @Test
  void defect03_aFreshFiber_doesNotPrecedeThoseThatWait() {
    scheduler.spawn(
        "S",
        () -> {
          log.add("S");
          for (int i = 0; i < 3; i++) {
            String name = "c" + i;
            scheduler.spawn(() -> log.add(name));
          }
          Scheduler.pause(0);
          log.add("S");
        });
    scheduler.spawn(() -> {
      for (int i = 0; i < 3; i++) {
        log.add("B");
        Scheduler.pause(0);
      }
    });
    scheduler.run();
    assertThat(String.join(" ", log)).isEqualTo("S B c0 c1 c2 S B B");
  }

  @Test
  void defect04_aLookIsSharedByManyResumes(Pipe idle) throws Exception {
    scheduler.spawn(() -> Scheduler.ioWait(idle.readFd(), READ, -1));
    for (int i = 0; i < 10_000; i++) {
      scheduler.spawn(() -> Scheduler.pause(0));
    }
    assertThat(scheduler.runUntilEmpty()).isEqualTo(20_001);
    assertThat(kernel.timeouts()).hasSizeLessThan(20_001 / 64 + 5);
    scheduler.clear();
  }

  @Test
  void defect05_tick_sleepsForATimer_andNeverPastIt() {
    scheduler.spawn(() -> Scheduler.pause(2));
    scheduler.tick(0);
    assertThat(scheduler.tick(1000)).isFalse();
    assertThat(scheduler.tick(1500)).isTrue();
    assertThat(kernel.blockingTimeouts()).containsExactly(1000 * MS, 1000 * MS);
  }

  @Test
  void defect05_aPauseLoopOverTick_doesNotSpin() {
    scheduler.spawn(() -> {
      for (int i = 0; i < 10; i++) {
        Scheduler.pause(1);
      }
    });
    int ticks = 0;
    while (scheduler.aliveCount() > 0) {
      scheduler.tick(1000);
      ticks++;
    }
    assertThat(ticks).isLessThanOrEqualTo(11);
    assertThat(passedNanos()).isEqualTo(10_000 * MS);
  }

  @Test
  @Tag("slow")
  void defect06_endedFibers_areForgotten_thoughLifetimesOverlap() throws Exception {
    Fiber oldest = scheduler.spawn(() -> Scheduler.pause(1_000_000));
    List<WeakReference<Object>> ended = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      Object body = new Object();
      ended.add(new WeakReference<>(body));
      scheduler.spawn(() -> {
        Scheduler.pause(2); // outlives the next one's start
        assertThat(body).isNotNull();
      });
      scheduler.runFor(1);
    }
    assertThat(scheduler.aliveCount()).isLessThanOrEqualTo(3);
    assertThat(scheduler.fibers()).hasSizeLessThanOrEqualTo(3);
    scheduler.runFor(5);
    for (int i = 0; i < 50 && ended.stream().anyMatch(r -> r.get() != null); i++) {
      System.gc();
    }
    assertThat(ended.stream().filter(r -> r.get() != null).count()).isZero();
    assertThat(oldest.isAlive()).isTrue();
  }

  @Test
  void defect07_aClosedFd_isAnError_andNoSpin() {
    Fds.Pair pipe = Fds.pipe();
    pipe.close();
    Fiber fiber = scheduler.spawn(() -> Scheduler.ioWait(pipe.a(), READ, 1.5));
    scheduler.run();
    assertThat(fiber.failure())
        .get()
        .isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBADF));
    assertThat(passedNanos()).isZero();
    assertThat(kernel.timeouts()).hasSizeLessThanOrEqualTo(2);
  }

  @Test
  void defect07_anFdClosedDuringTheWait_isAnError_withinTwoSeconds() {
    Fds.Pair pipe = Fds.pipe();
    Fiber fiber = scheduler.spawn(() -> Scheduler.ioWait(pipe.a(), READ, -1));
    scheduler.spawn(pipe::close);
    scheduler.run();
    assertThat(fiber.failure()).get().isInstanceOf(ErrnoException.class);
    assertThat(passedNanos()).isLessThanOrEqualTo(2000 * MS);
    assertThat(kernel.timeouts()).hasSizeLessThanOrEqualTo(4);
  }

  @Test
  void defect08_anException_endsItsFiberAlone_andNoStateIsLeft() {
    Fiber failing =
        scheduler.spawn(() -> {
          throw new IOException("contained");
        });
    scheduler.spawn(() -> {
      Scheduler.pause(1);
      log.add("went on");
    });
    assertThat(scheduler.tick(0)).isTrue();
    assertThat(Scheduler.inFiber()).isFalse();
    scheduler.run();
    assertThat(failing.failure()).get().isInstanceOf(IOException.class);
    assertThat(log).containsExactly("went on");
  }

  @Test
  void defect09_drivingInsideAFiber_works() {
    scheduler.spawn(() -> {
      scheduler.spawn(() -> log.add("inner"));
      assertThat(scheduler.tick(0)).isTrue();
      assertThat(Scheduler.inFiber()).isTrue();
      long before = clock.nanoTime();
      Scheduler.pause(1); // still that of a fiber, not a blocking one
      assertThat(clock.nanoTime() - before).isEqualTo(1000 * MS);
      log.add("outer");
    });
    scheduler.run();
    assertThat(log).containsExactly("inner", "outer");
  }

  @Test
  @Tag("slow")
  void defect10_cancelJoinTimeoutsAndErrors_areToldApart(Pipe pipe) throws Exception {
    Fiber endless = scheduler.spawn(() -> Scheduler.ioWait(pipe.readFd(), READ, -1));
    scheduler.spawn(() -> {
      assertThat(endless.join(Duration.ofHours(25))).isFalse(); // past the 24 h sentinel
      endless.cancel();
      endless.join();
      log.add("joined");
    });
    Fiber timed = scheduler.spawn(() -> log.add("" + Scheduler.ioWait(pipe.readFd(), READ, 1)));
    scheduler.run();

    assertThat(log).containsExactly("0", "joined");
    assertThat(endless.failure()).get().isInstanceOf(InterruptedException.class);
    assertThat(timed.failure()).isEmpty();
  }

  @Test
  void defect11_aPollInterruptedBySignals_goesOn_andDoesNotSpin(Pipe pipe) throws Exception {
    int[] polls = new int[1];
    Kernel signalled =
        new ForwardingKernel(kernel) {
          @Override
          protected int look(long timeoutNanos, Look next) {
            return polls[0]++ % 2 == 0 ? -Errno.EINTR : super.look(timeoutNanos, next);
          }
        };
    try (Scheduler other = Scheduler.builder().kernel(signalled).clock(clock).build()) {
      other.spawn(() -> log.add("timed out " + Scheduler.ioWait(pipe.readFd(), READ, 3)));
      other.run();
      assertThat(log).containsExactly("timed out 0");
      assertThat(passedNanos()).isEqualTo(3000 * MS);
      assertThat(polls[0]).isLessThanOrEqualTo(20);
    }
  }

  @Test
  void defect11_anInterruptedDriver_returns_withItsStatusSet_andCanGoOn() {
    scheduler.spawn(() -> Scheduler.pause(10));
    Thread.currentThread().interrupt();
    scheduler.run();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(scheduler.aliveCount()).isOne();
    scheduler.run();
    assertThat(scheduler.aliveCount()).isZero();
    assertThat(kernel.timeouts()).hasSizeLessThanOrEqualTo(4);
  }

  @Test
  void defect12_emfileInAccept_isAnError_andNoSpin() throws Exception {
    int[] accepts = new int[1];
    Kernel full =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public int accept4(int fd, int flags) {
            accepts[0]++;
            return -Errno.EMFILE;
          }
        };
    int listener = Sock.listen(0, false);
    try (Scheduler other = Scheduler.builder().kernel(full).onUncaught((f, t) -> {}).build()) {
      Fiber fiber = other.spawn(() -> Sock.accept(listener));
      other.run();
      assertThat(fiber.failure())
          .get()
          .isInstanceOfSatisfying(
              ErrnoException.class, e -> assertThat(e.name()).isEqualTo("EMFILE"));
      assertThat(accepts[0]).isOne();
    } finally {
      Fds.close(listener);
    }
  }

  @Test
  void defect13_handles_areNeverReused() {
    Set<Long> ids = new HashSet<>();
    List<Fiber> old = new ArrayList<>();
    for (int round = 0; round < 10; round++) {
      for (int i = 0; i < 10; i++) {
        Fiber fiber = scheduler.spawn(() -> Scheduler.pause(1));
        assertThat(ids.add(fiber.id())).isTrue();
        old.add(fiber);
      }
      if (round % 2 == 0) {
        scheduler.clear();
      } else {
        scheduler.run();
      }
    }
    Fiber current = scheduler.spawn(() -> Scheduler.pause(1));
    scheduler.tick(0);
    old.forEach(Fiber::cancel);
    scheduler.run();
    assertThat(current.failure()).isEmpty();
  }

  @Test
  void defect14_aClosing_wakesTheWaiter_beforeTheNumberIsReused() {
    Fds.Pair old = Fds.pipe();
    Fiber waiter = scheduler.spawn(() -> Scheduler.ioWait(old.a(), READ, -1));
    List<Fds.Pair> reused = new ArrayList<>();
    scheduler.spawn(() -> {
      Scheduler.closing(old.a());
      old.close();
      Fds.Pair next = Fds.pipe();
      reused.add(next);
      Fds.write(next.b(), "not for the old waiter");
    });
    scheduler.run();
    assertThat(reused.getFirst().a()).isEqualTo(old.a());
    assertThat(waiter.failure()).get().isInstanceOf(ClosedChannelException.class);
    reused.getFirst().close();
  }

  @Test
  @Tag("slow")
  void defect15_moreThan32000Fibers_andDeepStacks() {
    int count = 70_000;
    int[] ended = new int[1];
    for (int i = 0; i < count; i++) {
      scheduler.spawn(() -> {
        Scheduler.pause(1);
        ended[0]++;
      });
    }
    Fiber deep = scheduler.spawn(() -> log.add("" + pauseAtDepth(3_000)));
    scheduler.runUntilEmpty();
    assertThat(scheduler.aliveCount()).isEqualTo(count + 1);
    scheduler.run();
    assertThat(ended[0]).isEqualTo(count);
    assertThat(deep.failure()).isEmpty();
    assertThat(log).containsExactly("3000");
  }

  private static int pauseAtDepth(int depth) throws InterruptedException {
    if (depth == 0) {
      Scheduler.pause(1);
      return 0;
    }
    return pauseAtDepth(depth - 1) + 1;
  }
}
