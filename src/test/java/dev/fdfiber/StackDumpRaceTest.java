package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * R9, as a race: another thread takes the stack of a fiber while a look finds that its wait is
 * over, so that the JDK submits it once more. It must go on once, and end once.
 */
@FdTest
@Tag("slow")
class StackDumpRaceTest {
  private static final long TIME_NANOS = 2_000_000_000L;
  private static final Duration NEVER_THAT_LONG = Duration.ofSeconds(10);
  private static final int OVER = -1;

  private final long seed = new Random().nextLong();
  private final Random random = new Random(seed);
  private final AtomicReference<Thread> watched = new AtomicReference<>();
  private final BlockingQueue<Integer> toWrite = new ArrayBlockingQueue<>(1);
  private volatile boolean over;
  private int resumes;

  /** Starts something that waits for a descriptor and then counts a resume. */
  @FunctionalInterface
  private interface Starter {
    Thread start(Scheduler s, FiberBody wait) throws Exception;
  }

  private void race(String name, Starter starter) throws Exception {
    Elsewhere<Integer> watcher = Elsewhere.start(this::takesStacks);
    Elsewhere<Void> writer = Elsewhere.begin(this::writes);
    int rounds = 0;
    long start = System.nanoTime();
    try (Scheduler s = Scheduler.create();
        Fds.Pair pipe = Fds.pipe()) {
      while (System.nanoTime() - start < TIME_NANOS) {
        Fiber round = s.spawn("round", () -> round(s, pipe, starter));
        s.runFor(NEVER_THAT_LONG);
        rounds++;
        assertThat(round.failure()).as("seed %d, round %d", seed, rounds).isEmpty();
        assertThat(round.isAlive()).as("seed %d, round %d: %s", seed, rounds, s.dump()).isFalse();
        assertThat(s.aliveCount()).as("seed %d, round %d", seed, rounds).isZero();
        assertThat(s.fibers()).isEmpty();
        assertThat(resumes).as("seed %d", seed).isEqualTo(rounds);
      }
    } finally {
      over = true;
      toWrite.put(OVER);
      writer.result();
    }
    System.out.println(
        "StackDumpRaceTest %s: seed %d, %d rounds, %d stacks"
            .formatted(name, seed, rounds, watcher.result()));
  }

  private void round(Scheduler s, Fds.Pair pipe, Starter starter) throws Exception {
    FiberBody wait =
        () -> {
          assertThat(Scheduler.ioWait(pipe.a(), READ, -1)).isEqualTo(READ);
          resumes++;
          assertThat(Fds.read(pipe.a())).isEqualTo("x");
        };
    Thread waiter = starter.start(s, wait);
    Fiber pause = s.spawn("pause", () -> Scheduler.pause(0.0002));
    watched.set(waiter);
    toWrite.put(pipe.b());
    assertThat(waiter.join(NEVER_THAT_LONG)).as("goes on after its wait").isTrue();
    pause.join();
    watched.set(null);
    Scheduler.pause(0.0001);
    assertThat(s.aliveCount()).as("only this fiber is left").isOne();
    assertThat(s.fibers()).hasSize(1);
  }

  private int takesStacks() {
    int stacks = 0;
    while (!over) {
      Thread thread = watched.get();
      if (thread != null) {
        thread.getStackTrace();
        stacks++;
      }
    }
    return stacks;
  }

  /** Writes a byte a while after it was asked to. */
  private void writes() throws InterruptedException {
    for (int fd; (fd = toWrite.take()) != OVER; ) {
      long until = System.nanoTime() + random.nextInt(400_000);
      while (System.nanoTime() - until < 0) {
        Thread.onSpinWait();
      }
      Fds.write(fd, "x");
    }
  }

  @Test
  void r9_stackDumpsOfAFiber_resumeItOnce() throws Exception {
    race("fiber", (s, wait) -> s.spawn("waiter", wait).thread());
  }

  @Test
  void r9_stackDumpsOfAThreadThatAFiberStarted_resumeItOnce() throws Exception {
    race(
        "thread",
        (s, wait) ->
            Thread.startVirtualThread(() -> {
              try {
                wait.run();
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            }));
  }

  @Test
  void r9_stackDumpsOfAFiber_letItsJoinersGoOn() throws Exception {
    race(
        "joined",
        (s, wait) -> {
          Fiber waiter = s.spawn("waiter", wait);
          Fiber joiner =
              s.spawn(
                  "joiner",
                  () -> {
                    waiter.join();
                    assertThat(waiter.isAlive()).isFalse();
                  });
          return joiner.thread();
        });
  }
}
