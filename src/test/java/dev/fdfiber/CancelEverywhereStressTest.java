package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * R20, as a race, for what is built on the waits: another thread cancels a fiber at any moment of a
 * call that never ends by itself. Each time the fiber gets the cancel, and nothing of the call is
 * left behind.
 */
@FdTest(limitSeconds = 120)
@Tag("slow")
class CancelEverywhereStressTest {
  private static final int ROUNDS = 500;

  /** Calls that do not end by themselves. */
  enum Call {
    CHANNEL {
      @Override
      void run(Fds.Pair pipe, Fiber other) throws Exception {
        FdChannel.borrow(pipe.a()).read(ByteBuffer.allocate(1));
      }
    },
    SOCK {
      @Override
      void run(Fds.Pair pipe, Fiber other) throws Exception {
        Sock.recvSome(pipe.a(), 0);
      }
    },
    FIBER_JOIN {
      @Override
      void run(Fds.Pair pipe, Fiber other) throws Exception {
        other.join(Duration.ofDays(1));
      }
    },
    SCOPE_JOIN {
      @Override
      @SuppressWarnings("FutureReturnValueIgnored") // a failure comes out of join
      void run(Fds.Pair pipe, Fiber other) throws Exception {
        try (FiberScope scope = FiberScope.open(Duration.ofDays(1))) {
          scope.fork(() -> Scheduler.ioWait(pipe.a(), Scheduler.READ, -1));
          scope.join();
        }
      }
    },
    BLOCKING {
      @Override
      void run(Fds.Pair pipe, Fiber other) throws Exception {
        Blocking.call(() -> {
          new CountDownLatch(1).await();
          return "";
        });
      }
    };

    abstract void run(Fds.Pair pipe, Fiber other) throws Exception;
  }

  @ParameterizedTest
  @EnumSource(Call.class)
  void r20_aCancelAtAnyMoment_arrives_andLeavesNothing(Call call) throws Exception {
    long seed = new Random().nextLong();
    System.out.println("CancelEverywhereStressTest " + call + " seed " + seed);
    Random random = new Random(seed);
    Semaphore begins = new Semaphore(0);
    Semaphore ended = new Semaphore(0);
    try (Fds.Pair pipe = Fds.pipe();
        Scheduler s = Scheduler.create()) {
      Fiber other = s.spawn("other", () -> Scheduler.pause(Double.POSITIVE_INFINITY));
      Fiber fiber =
          s.spawn(
              "fiber",
              () -> {
                for (int i = 0; i < ROUNDS; i++) {
                  begins.release();
                  try {
                    call.run(pipe, other);
                    throw new AssertionError("round " + i + " ended by itself");
                  } catch (InterruptedException | InterruptedIOException e) {
                    Thread.interrupted(); // a channel keeps it
                  }
                  assertThat(s.anyIoWaiter()).as("seed %d, round %d", seed, i).isFalse();
                  assertThat(s.aliveCount()).isEqualTo(2);
                  assertThat(s.blockingCount()).isZero();
                  assertThat(s.nextWakeNanos().orElse(0)).isZero(); // no timer
                  ended.release();
                }
              });
      Thread driver = Thread.ofPlatform().start(s::run);
      for (int i = 0; i < ROUNDS && fiber.isAlive(); i++) {
        begins.acquire();
        for (int spins = random.nextInt(2_000); spins > 0; spins--) {
          Thread.onSpinWait();
        }
        fiber.cancel();
        while (fiber.isAlive() && !ended.tryAcquire(1, TimeUnit.SECONDS)) {
          Thread.onSpinWait();
        }
      }
      fiber.join();
      assertThat(fiber.failure()).as("seed %d", seed).isEmpty();
      other.cancel();
      driver.join();
    }
  }
}
