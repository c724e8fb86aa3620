package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.TimeKernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * R9 and R2 while another thread takes stacks: the JDK then makes runs of a fiber that do nothing,
 * and submits it again.
 */
@FdTest
@Tag("slow")
class StackDumpTest {
  private static final int ROUNDS = 1_000;

  private final ManualClock clock = new ManualClock();
  private final List<String> log = new ArrayList<>();

  private Scheduler scheduler() {
    return Scheduler.builder().clock(clock).kernel(new TimeKernel(clock)).build();
  }

  /**
   * Another thread that takes the stacks all the time. It has begun, since a new thread may get its
   * turn when the fibers have ended; and yields between two of them, since on one processor it
   * would lose its turn while it holds a stack, nearly each time, and no fiber could go on.
   */
  @SuppressWarnings("ThreadPriorityCheck")
  private static Elsewhere<Void> takesStacks(List<Fiber> fibers, AtomicBoolean over)
      throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    Elsewhere<Void> watcher =
        Elsewhere.begin(() -> {
          while (!over.get()) {
            for (Fiber fiber : fibers) {
              fiber.thread().getStackTrace();
              Thread.yield();
            }
            begun.countDown();
          }
        });
    begun.await();
    return watcher;
  }

  /** Runs the fibers to their ends while another thread looks at their stacks all the time. */
  private static void runWatched(Scheduler scheduler, List<Fiber> fibers) throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    Elsewhere<Void> watcher = takesStacks(fibers, over);
    scheduler.run();
    over.set(true);
    watcher.result();
  }

  private List<Fiber> spawnWaiters(Scheduler scheduler, Fds.Pair pipe) {
    List<Fiber> fibers = new ArrayList<>();
    for (int f = 0; f < 6; f++) {
      String name = "f" + f;
      int kind = f % 3;
      fibers.add(
          scheduler.spawn(() -> {
            for (int i = 0; i < ROUNDS; i++) {
              log.add(name + "." + i);
              switch (kind) {
                case 0 -> Scheduler.pause(Duration.ofNanos(1 + i % 3));
                case 1 -> Scheduler.ioWait(pipe.a(), READ, 10);
                default -> Scheduler.ioWait(pipe.b(), READ, Duration.ofNanos(2));
              }
            }
          }));
    }
    return fibers;
  }

  @Test
  void r9_stackDumps_changeNothing_forPausesAndWaits() throws Exception {
    try (Fds.Pair pipe = Fds.pipe()) {
      Fds.write(pipe.b(), "always ready");
      try (Scheduler scheduler = scheduler()) {
        spawnWaiters(scheduler, pipe);
        scheduler.run();
      }
      List<String> undisturbed = List.copyOf(log);
      log.clear();
      try (Scheduler scheduler = scheduler()) {
        runWatched(scheduler, spawnWaiters(scheduler, pipe));
      }
      assertThat(log).hasSameSizeAs(undisturbed);
      for (int i = 0; i < log.size(); i++) {
        assertThat(log.get(i)).as("resume %d", i).isEqualTo(undisturbed.get(i));
      }
    }
  }

  @Test
  void r9_stackDumps_changeNothing_forYields() throws Exception {
    List<String> expected = new ArrayList<>();
    try (Scheduler scheduler = scheduler()) {
      List<Fiber> fibers = new ArrayList<>();
      for (int f = 0; f < 4; f++) {
        String name = "f" + f;
        fibers.add(
            scheduler.spawn(() -> {
              for (int i = 0; i < ROUNDS; i++) {
                log.add(name + "." + i);
                Scheduler.pause(0);
              }
            }));
      }
      for (int i = 0; i < ROUNDS; i++) {
        for (int f = 0; f < 4; f++) {
          expected.add("f" + f + "." + i);
        }
      }
      runWatched(scheduler, fibers);
    }
    assertThat(log).hasSameSizeAs(expected);
    for (int i = 0; i < log.size(); i++) {
      assertThat(log.get(i)).as("resume %d", i).isEqualTo(expected.get(i));
    }
  }

  @Test
  void r9_stackDumps_loseAndDoubleNothing_inJdkCalls() throws Exception {
    LinkedBlockingQueue<Integer> there = new LinkedBlockingQueue<>();
    LinkedBlockingQueue<Integer> back = new LinkedBlockingQueue<>();
    List<Integer> seen = new ArrayList<>();
    try (Scheduler scheduler = Scheduler.create()) {
      Fiber one =
          scheduler.spawn(() -> {
            for (int i = 0; i < ROUNDS; i++) {
              there.add(i);
              seen.add(back.take());
            }
          });
      Fiber two =
          scheduler.spawn(() -> {
            for (int i = 0; i < ROUNDS; i++) {
              back.add(there.take());
            }
          });
      runWatched(scheduler, List.of(one, two));
    }
    assertThat(seen).hasSize(ROUNDS).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void r4_stackDumps_doNotMakeATickOfNothing() throws Exception {
    try (Scheduler scheduler = scheduler()) {
      int[] ran = new int[1];
      Fiber fiber =
          scheduler.spawn(() -> {
            while (true) {
              ran[0]++;
              Scheduler.pause(Duration.ofNanos(1));
            }
          });
      AtomicBoolean over = new AtomicBoolean();
      Elsewhere<Void> watcher = takesStacks(List.of(fiber), over);
      for (int i = 1; i <= 300; i++) {
        assertThat(scheduler.tick(1000)).isTrue();
        assertThat(ran[0]).as("after tick %d", i).isEqualTo(i);
      }
      over.set(true);
      watcher.result();
    }
  }

  /** A kernel in which, once, a stack is taken and a descriptor gets ready in the same poll. */
  private static final class DumpsInPoll extends ForwardingKernel {
    private Thread waiter;
    private int readyBy = -1;

    DumpsInPoll() {
      super(Kernel.system());
    }

    @Override
    protected int look(long timeoutNanos, Look next) {
      if (timeoutNanos != 0 && readyBy >= 0) {
        try {
          Elsewhere.run(() -> waiter.getStackTrace()); // the JDK then submits it again
        } catch (Exception e) {
          throw new AssertionError(e);
        }
        Fds.write(readyBy, "x");
        readyBy = -1;
      }
      return super.look(timeoutNanos, next);
    }
  }

  @Test
  void r2_aStackDumpInThePollThatSeesTheDescriptor_givesNoSecondTurn() throws Exception {
    DumpsInPoll kernel = new DumpsInPoll();
    try (Scheduler scheduler = Scheduler.builder().kernel(kernel).build();
        Fds.Pair pipe = Fds.pipe()) {
      Fiber one = scheduler.spawn(() -> waitsAndYields("one", pipe.a()));
      scheduler.spawn(() -> waitsAndYields("two", pipe.a()));
      scheduler.runUntilEmpty();
      kernel.waiter = one.thread();
      kernel.readyBy = pipe.b();
      scheduler.run();
    }
    assertThat(log)
        .containsExactly("one 0", "two 0", "one 1", "two 1", "one 2", "two 2", "one 3", "two 3");
  }

  private void waitsAndYields(String name, int fd) throws Exception {
    assertThat(Scheduler.ioWait(fd, READ, -1)).isEqualTo(READ);
    for (int i = 0; i < 4; i++) {
      log.add(name + " " + i);
      Scheduler.pause(0);
    }
  }
}
