package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static dev.fdfiber.Scheduler.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.TimeKernel;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** R20: cancelling a fiber. */
@FdTest
class CancelRulesTest {
  /** Every way in which a fiber parks. */
  enum Park {
    PAUSE {
      @Override
      void park(Fds.Pair pair, Fiber other) throws Exception {
        Scheduler.pause(1000);
      }
    },
    PAUSE_WITHOUT_END {
      @Override
      void park(Fds.Pair pair, Fiber other) throws Exception {
        Scheduler.pause(Double.POSITIVE_INFINITY);
      }
    },
    IO_WAIT {
      @Override
      void park(Fds.Pair pair, Fiber other) throws Exception {
        Scheduler.ioWait(pair.a(), READ, -1);
      }
    },
    IO_WAIT_WITH_TIMEOUT {
      @Override
      void park(Fds.Pair pair, Fiber other) throws Exception {
        Scheduler.ioWait(pair.a(), READ, 1000);
      }
    },
    JOIN {
      @Override
      void park(Fds.Pair pair, Fiber other) throws Exception {
        other.join();
      }
    },
    JOIN_WITH_LIMIT {
      @Override
      void park(Fds.Pair pair, Fiber other) throws Exception {
        other.join(Duration.ofSeconds(1000));
      }
    },
    QUEUE {
      @Override
      void park(Fds.Pair pair, Fiber other) throws Exception {
        new LinkedBlockingQueue<>().take();
      }
    },
    CHANNEL {
      @Override
      void park(Fds.Pair pair, Fiber other) throws Exception {
        FdChannel.borrow(pair.a()).read(ByteBuffer.allocate(1));
      }
    },
    SOCK {
      @Override
      void park(Fds.Pair pair, Fiber other) throws Exception {
        Sock.recvSome(pair.a(), 0);
      }
    };

    abstract void park(Fds.Pair pair, Fiber other) throws Exception;

    /** Channels and Sock may not throw InterruptedException; they keep the status instead. */
    boolean keepsStatus() {
      return this == CHANNEL || this == SOCK;
    }
  }

  /** The ways to cancel a fiber. */
  @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
  enum Cancel {
    BY_ANOTHER_FIBER(f -> f.thread().isAlive()) {
      @Override
      void cancel(Scheduler s, Fiber fiber) {
        s.spawn(fiber::cancel);
      }
    },
    BY_THE_DRIVER(Fiber::cancel),
    BY_THREAD_INTERRUPT(f -> f.thread().interrupt()),
    BY_ANOTHER_THREAD(f -> inAnotherThread(f::cancel)),
    BY_INTERRUPT_FROM_ANOTHER_THREAD(f -> inAnotherThread(f.thread()::interrupt));

    private final Consumer<Fiber> action;

    Cancel(Consumer<Fiber> action) {
      this.action = action;
    }

    void cancel(Scheduler s, Fiber fiber) {
      action.accept(fiber);
    }

    private static void inAnotherThread(Runnable action) {
      try {
        Thread.ofPlatform().start(action).join();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  static Stream<Arguments> everyWay() {
    return Stream.of(Park.values())
        .flatMap(p -> Stream.of(Cancel.values()).map(c -> Arguments.of(p, c)));
  }

  private final List<String> seen = new ArrayList<>();

  private void record(Park park, FiberBody body) throws Exception {
    try {
      body.run();
      seen.add("went on");
    } catch (InterruptedException | InterruptedIOException e) {
      boolean isIo = e instanceof InterruptedIOException;
      assertThat(isIo).isEqualTo(park.keepsStatus());
      assertThat(Thread.currentThread().isInterrupted()).isEqualTo(park.keepsStatus());
      seen.add("cancelled");
    }
  }

  @ParameterizedTest
  @MethodSource("everyWay")
  void r20_cancelOfAParkedFiber_endsItsWaitAndLeavesNothing(Park park, Cancel way) {
    try (Scheduler s = Scheduler.create();
        Fds.Pair pair = Fds.socketPair()) {
      Fiber other = s.spawn("other", () -> new LinkedBlockingQueue<>().take());
      Fiber fiber = s.spawn(() -> record(park, () -> park.park(pair, other)));
      s.runUntilEmpty();
      assertThat(seen).isEmpty();
      way.cancel(s, fiber);
      s.runUntilEmpty();
      assertThat(seen).containsExactly("cancelled");
      assertThat(fiber.failure()).isEmpty();
      assertThat(fiber.isAlive()).isFalse();
      assertThat(other.isAlive()).isTrue();
      assertThat(s.anyIoWaiter()).isFalse();
      assertThat(s.nextWakeNanos()).isEmpty();
      assertThat(s.aliveCount()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource(Park.class)
  void r20_cancelledBeforeItWaits_throwsAtTheWait(Park park) {
    try (Scheduler s = Scheduler.create();
        Fds.Pair pair = Fds.socketPair()) {
      Fiber other = s.spawn("other", () -> new LinkedBlockingQueue<>().take());
      Fiber fiber =
          s.spawn(() -> {
            Fiber.current().cancel();
            seen.add("ran");
            record(park, () -> park.park(pair, other));
          });
      s.runUntilEmpty();
      assertThat(fiber.failure()).isEmpty();
      assertThat(seen).containsExactly("ran", "cancelled");
      assertThat(s.anyIoWaiter()).isFalse();
      assertThat(s.nextWakeNanos()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(Park.class)
  void r20_cancelledBeforeItStarts_runsAndThrowsAtItsFirstWait(Park park) {
    try (Scheduler s = Scheduler.create();
        Fds.Pair pair = Fds.socketPair()) {
      Fiber other = s.spawn("other", () -> new LinkedBlockingQueue<>().take());
      Fiber fiber =
          s.spawn(() -> {
            seen.add("ran");
            record(park, () -> park.park(pair, other));
          });
      fiber.cancel();
      s.runUntilEmpty();
      assertThat(fiber.failure()).isEmpty();
      assertThat(seen).containsExactly("ran", "cancelled");
    }
  }

  @Test
  void r20_yieldOfACancelledFiber_throwsToo() {
    try (Scheduler s = Scheduler.create()) {
      Fiber fiber =
          s.spawn(() -> {
            Fiber.current().cancel();
            Scheduler.pause(0);
          });
      s.run();
      assertThat(fiber.failure()).get().isInstanceOf(InterruptedException.class);
    }
  }

  @Test
  void r20_waitThatIsOver_winsOverTheCancel(Pipe first, Pipe pipe) {
    try (Scheduler s = Scheduler.create()) {
      Fiber[] victim = new Fiber[1];
      s.spawn(() -> {
        Scheduler.ioWait(first.readFd(), READ, -1);
        victim[0].cancel(); // its wait ended in the same look as this one
      });
      victim[0] =
          s.spawn(() -> {
            seen.add("got " + Scheduler.ioWait(pipe.readFd(), READ, -1));
            seen.add("status " + Thread.currentThread().isInterrupted());
            assertThatThrownBy(() -> Scheduler.ioWait(pipe.readFd(), READ, -1))
                .isInstanceOf(InterruptedException.class);
            seen.add("then " + Scheduler.ioWait(pipe.readFd(), READ, -1));
          });
      s.runUntilEmpty();
      Fds.write(first.writeFd(), "x");
      Fds.write(pipe.writeFd(), "x");
      s.run();
      assertThat(victim[0].failure()).isEmpty();
      assertThat(seen).containsExactly("got 1", "status true", "then 1");
    }
  }

  @Test
  void r20_pauseThatIsOver_winsOverTheCancel() {
    ManualClock clock = new ManualClock();
    try (Scheduler s = Scheduler.builder().clock(clock).kernel(new TimeKernel(clock)).build()) {
      Fiber[] victim = new Fiber[1];
      s.spawn(() -> {
        Scheduler.pause(1);
        victim[0].cancel();
      });
      victim[0] =
          s.spawn(() -> {
            Scheduler.pause(1);
            seen.add("paused");
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
          });
      s.run();
      assertThat(victim[0].failure()).isEmpty();
      assertThat(seen).containsExactly("paused");
    }
  }

  @Test
  void r20_cancelTwice_endsOneWait() {
    try (Scheduler s = Scheduler.create()) {
      Fiber fiber =
          s.spawn(() -> {
            assertThatThrownBy(() -> Scheduler.pause(1000))
                .isInstanceOf(InterruptedException.class);
            Scheduler.pause(0.000_001);
            seen.add("went on");
          });
      s.runUntilEmpty();
      fiber.cancel();
      fiber.cancel();
      s.run();
      assertThat(fiber.failure()).isEmpty();
      assertThat(seen).containsExactly("went on");
      fiber.cancel(); // after its end: nothing
      assertThat(s.runUntilEmpty()).isZero();
    }
  }

  @Test
  void r20_cancelWakesOneOfManyWaiters(Pipe pipe) {
    try (Scheduler s = Scheduler.create()) {
      List<Fiber> fibers = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        fibers.add(s.spawn(() -> Scheduler.ioWait(pipe.readFd(), READ | WRITE, 1000)));
      }
      s.runUntilEmpty();
      fibers.get(2).cancel();
      s.runUntilEmpty();
      assertThat(fibers).filteredOn(f -> !f.isAlive()).containsExactly(fibers.get(2));
      assertThat(s.aliveCount()).isEqualTo(4);
    }
  }

  @Test
  void r20_aCancelledFiberInItsCleanup_canWaitAgain(Pipe pipe) throws Exception {
    try (Scheduler s = Scheduler.create()) {
      Fds.write(pipe.writeFd(), "x");
      Place.in(
          s,
          () -> {
            Fiber.current().cancel();
            assertThatThrownBy(() -> Scheduler.pause(1)).isInstanceOf(InterruptedException.class);
            assertThat(Scheduler.ioWait(pipe.readFd(), READ, -1)).isEqualTo(READ);
          });
    }
  }
}
