package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Pipe;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** R20: interrupting the thread that drives. */
@FdTest
class DriverInterruptTest {
  /** The driving calls that can block. */
  @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
  enum Drive {
    RUN(Scheduler::run),
    RUN_FOR(s -> s.runFor(1000)),
    TICK(s -> s.tick(-1)),
    TICK_WITH_LIMIT(s -> s.tick(1_000_000));

    private final Consumer<Scheduler> call;

    Drive(Consumer<Scheduler> call) {
      this.call = call;
    }
  }

  private final Thread me = Thread.currentThread();

  @AfterEach
  void statusIsGone() {
    assertThat(Thread.interrupted()).isFalse();
  }

  /** A kernel in which another thread interrupts the driver as soon as a poll blocks. */
  private Scheduler interruptedInPoll() {
    CountDownLatch blocks = new CountDownLatch(1);
    Kernel kernel =
        new ForwardingKernel(Kernel.system()) {
          @Override
          protected int look(long timeoutNanos, Look next) {
            if (timeoutNanos != 0) {
              blocks.countDown();
            }
            return super.look(timeoutNanos, next);
          }
        };
    Thread.ofPlatform()
        .start(() -> {
          await(blocks);
          me.interrupt();
        });
    return Scheduler.builder().kernel(kernel).build();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @EnumSource(Drive.class)
  void r20_interruptOfABlockedDriver_returnsWithTheStatusSet(Drive drive, Pipe pipe) {
    try (Scheduler s = interruptedInPoll()) {
      Fiber waits = s.spawn(() -> Scheduler.ioWait(pipe.readFd(), READ, -1));
      s.spawn(() -> Scheduler.pause(1000));
      s.spawn(() -> new LinkedBlockingQueue<>().take());
      s.runUntilEmpty();
      drive.call.accept(s);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(waits.isAlive()).isTrue();
      assertThat(s.aliveCount()).isEqualTo(3);
    }
  }

  @Test
  void r20_interruptOfADriverThatJoins_isInterruptedException() {
    try (Scheduler s = interruptedInPoll()) {
      Fiber waits = s.spawn(() -> Scheduler.pause(1000));
      s.runUntilEmpty(); // now this thread owns the scheduler, so a join drives
      assertThatThrownBy(waits::join).isInstanceOf(InterruptedException.class);
      assertThat(waits.isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Drive.class)
  void r20_interruptBeforeTheDrive_returnsAtTheEndOfTheFirstPass(Drive drive) {
    try (Scheduler s = Scheduler.create()) {
      Fiber waits = s.spawn(() -> Scheduler.pause(1000));
      s.runUntilEmpty();
      me.interrupt();
      drive.call.accept(s);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(waits.isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Drive.class)
  void r20_interruptWhileAFiberIsMounted_isNotLost(Drive drive) {
    try (Scheduler s = Scheduler.create()) {
      CountDownLatch mounted = new CountDownLatch(1);
      CountDownLatch interrupted = new CountDownLatch(1);
      Thread.ofPlatform()
          .start(() -> {
            await(mounted);
            me.interrupt();
            interrupted.countDown();
          });
      Fiber fiber =
          s.spawn(() -> {
            mounted.countDown();
            while (interrupted.getCount() > 0) {
              Thread.onSpinWait(); // stays mounted
            }
            assertThat(Thread.currentThread().isInterrupted()).isFalse(); // not this one
            for (int i = 0; i < 200; i++) {
              Scheduler.pause(0); // unmounts and mounts again
            }
            Scheduler.pause(1000);
          });
      drive.call.accept(s);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(fiber.isAlive()).isTrue();
    }
  }

  @Test
  void r20_interruptDuringRunUntilEmpty_returnsAtTheEndOfThePass() {
    try (Scheduler s = Scheduler.create()) {
      int[] turns = new int[1];
      s.spawn(() -> {
        while (true) {
          if (++turns[0] == 1000) {
            interruptFromOutside();
          }
          Scheduler.pause(0);
        }
      });
      s.runUntilEmpty();
      assertThat(Thread.interrupted()).isTrue();
      assertThat(turns[0]).isBetween(1000, 1000 + Loop.BATCH);
    }
  }

  private void interruptFromOutside() {
    Thread other = Thread.ofPlatform().start(me::interrupt);
    while (other.isAlive()) {
      Thread.onSpinWait(); // a join would unmount the fiber
    }
  }

  @Test
  void r20_interruptDuringNestedDriving_endsEveryLevel() {
    try (Scheduler s = Scheduler.create()) {
      int[] ended = new int[1];
      Fiber outer =
          s.spawn(() -> {
            s.runFor(1000);
            ended[0]++;
            Scheduler.pause(1000);
          });
      Fiber inner =
          s.spawn(() -> {
            s.run();
            ended[0]++;
            Scheduler.pause(1000);
          });
      s.spawn(() -> {
        interruptFromOutside();
        Scheduler.pause(1000);
      });
      s.run();
      assertThat(Thread.interrupted()).isTrue();
      assertThat(ended[0]).isEqualTo(2);
      assertThat(outer.isAlive()).isTrue();
      assertThat(inner.isAlive()).isTrue();
    }
  }

  @Test
  void r20_driveAfterAnInterrupt_goesOnAsUsual(Pipe pipe) {
    try (Scheduler s = Scheduler.create()) {
      int[] seen = new int[1];
      s.spawn(() -> {
        int bits = Scheduler.ioWait(pipe.readFd(), READ, -1);
        seen[0] = bits;
      });
      s.runUntilEmpty();
      me.interrupt();
      s.run();
      assertThat(Thread.interrupted()).isTrue();
      Fds.write(pipe.writeFd(), "x");
      s.run();
      assertThat(seen[0]).isEqualTo(READ);
    }
  }

  @Test
  void r20_closeByAnInterruptedThread_closesAndKeepsTheStatus() {
    Scheduler s = Scheduler.create();
    Fiber waits = s.spawn(() -> Scheduler.pause(1000));
    s.runUntilEmpty();
    me.interrupt();
    s.close();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(waits.isAlive()).isFalse();
    assertThat(waits.failure()).get().isInstanceOf(InterruptedException.class);
  }

  @Test
  void r20_interruptOutsideAFiber_endsTheWait(Pipe pipe) {
    me.interrupt();
    assertThatThrownBy(() -> Scheduler.ioWait(pipe.readFd(), READ, -1))
        .isInstanceOf(InterruptedException.class);
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
    me.interrupt();
    assertThatThrownBy(() -> Scheduler.pause(1000)).isInstanceOf(InterruptedException.class);
  }

  @Test
  void r20_interruptOfABlockedWaitOutsideAFiber_endsIt(Pipe pipe) {
    Thread.ofPlatform()
        .start(() -> {
          Elsewhere.awaitIn("ppoll", me);
          me.interrupt();
        });
    assertThatThrownBy(() -> Scheduler.ioWait(pipe.readFd(), READ, -1))
        .isInstanceOf(InterruptedException.class);
  }
}
