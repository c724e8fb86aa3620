package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.TimeKernel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Virtual threads that a fiber starts by itself are fibers, and so are those of the factory. */
@FdTest
class InheritedThreadsTest {
  private final ManualClock clock = new ManualClock();
  private final List<Throwable> uncaught = new ArrayList<>();
  private final Scheduler scheduler =
      Scheduler.builder()
          .kernel(new TimeKernel(clock))
          .clock(clock)
          .onUncaught((fiber, t) -> uncaught.add(t))
          .build();
  private final List<String> log = new ArrayList<>();

  @AfterEach
  void close() {
    scheduler.close();
    assertThat(uncaught).isEmpty();
  }

  private void runInFiber(FiberBody body) {
    Fiber fiber = scheduler.spawn("parent", body);
    scheduler.run();
    assertThat(fiber.failure()).isEmpty();
  }

  @Test
  void inheritedThread_counts_andKeepsRunAlive() {
    runInFiber(() -> {
      Thread.startVirtualThread(() -> {
        try {
          Scheduler.pause(5);
          log.add("child");
        } catch (InterruptedException e) {
          log.add("interrupted");
        }
      });
      assertThat(scheduler.aliveCount()).isEqualTo(2);
    });
    assertThat(log).containsExactly("child");
    assertThat(scheduler.aliveCount()).isZero();
  }

  @Test
  void inheritedThread_isAFiber_andKnowsItself() {
    List<Fiber> seen = new ArrayList<>();
    runInFiber(() ->
        Thread.ofVirtual()
            .name("child")
            .start(() -> {
              assertThat(Scheduler.inFiber()).isTrue();
              assertThat(Scheduler.current()).isSameAs(scheduler);
              assertThat(Fiber.current().thread()).isSameAs(Thread.currentThread());
              seen.add(Fiber.current());
            }));
    assertThat(seen).singleElement().extracting(Fiber::name).isEqualTo("child");
    assertThat(seen.getFirst().isAlive()).isFalse();
  }

  @Test
  void inheritedThread_isListed_parksForFds_andIsCancelled(Pipe pipe) throws Exception {
    runInFiber(() -> {
      Thread child =
          Thread.ofVirtual()
              .name("child")
              .start(() -> {
                try {
                  log.add("read " + Scheduler.ioWait(pipe.readFd(), READ, -1));
                  Scheduler.ioWait(pipe.readFd(), Scheduler.WRITE, -1);
                } catch (Exception e) {
                  log.add(e.getClass().getSimpleName());
                }
              });
      Scheduler.pause(1);
      assertThat(scheduler.fibers())
          .extracting(FiberInfo::name, FiberInfo::state)
          .contains(org.assertj.core.groups.Tuple.tuple("child", Fiber.State.WAITING_IO));
      assertThat(scheduler.dump()).contains("child").contains("fd " + pipe.readFd());
      Fds.write(pipe.writeFd(), "x");
      Scheduler.pause(1);
      assertThat(log).containsExactly("read 1");
      child.interrupt();
    });
    assertThat(log).containsExactly("read 1", "InterruptedException");
  }

  @Test
  void inheritedThread_isEndedByClose() {
    runInFiberThatEndsFirst();
    scheduler.runUntilEmpty();
    assertThat(scheduler.aliveCount()).isOne();
    scheduler.close();
    assertThat(log).containsExactly("interrupted");
  }

  private void runInFiberThatEndsFirst() {
    scheduler.spawn(() ->
        Thread.startVirtualThread(() -> {
          try {
            new LinkedBlockingQueue<String>().take();
          } catch (InterruptedException e) {
            log.add("interrupted");
          }
        }));
  }

  @Test
  void perTaskExecutor_inAFiber_runsItsTasksAsFibers() {
    runInFiber(() -> {
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        Future<Integer> slow =
            executor.submit(() -> {
              Scheduler.pause(2);
              return 1;
            });
        Future<Integer> quick =
            executor.submit(() -> {
              Scheduler.pause(1);
              log.add("quick");
              return 2;
            });
        log.add("got " + (slow.get() + quick.get()));
      }
    });
    assertThat(log).containsExactly("quick", "got 3");
  }

  @Test
  void inheritedThreads_ofThirdGeneration_areFibersToo() {
    runInFiber(() ->
        Thread.startVirtualThread(() ->
            Thread.startVirtualThread(() -> {
              assertThat(Scheduler.current()).isSameAs(scheduler);
              log.add("grandchild");
            })));
    assertThat(log).containsExactly("grandchild");
  }

  @Test
  void inheritedThread_startedByAnotherThread_runsOnTheDriver() throws Exception {
    List<Thread> made = new ArrayList<>();
    runInFiber(
        () -> made.add(Thread.ofVirtual().unstarted(() -> log.add("" + Scheduler.inFiber()))));
    Elsewhere.run(() -> made.getFirst().start());
    scheduler.run();
    assertThat(log).containsExactly("true");
  }

  @Test
  void inheritedThread_thatFails_isReported() {
    runInFiber(() ->
        Thread.startVirtualThread(() -> {
          throw new IllegalStateException("in the child");
        }));
    assertThat(uncaught).singleElement().asString().contains("in the child");
    uncaught.clear();
  }

  @Test
  void inheritedThreads_areAppendedAtOnce_inTheOrderOfTheirStarts() {
    runInFiber(() -> {
      Thread.startVirtualThread(() -> log.add("1"));
      scheduler.spawn(() -> log.add("2"));
      Thread.startVirtualThread(() -> log.add("3"));
    });
    assertThat(log).containsExactly("1", "2", "3");
  }

  @Test
  void threadFactory_makesFibers() throws Exception {
    Thread thread = scheduler.threadFactory().newThread(() -> log.add("" + Scheduler.inFiber()));
    assertThat(thread.isVirtual()).isTrue();
    assertThat(scheduler.aliveCount()).as("not started").isZero();
    thread.start();
    assertThat(scheduler.aliveCount()).isOne();
    scheduler.run();
    assertThat(log).containsExactly("true");
    thread.join();
  }

  @Test
  void executor_ofTheFactory_shutsDown() throws Exception {
    ExecutorService executor = Executors.newThreadPerTaskExecutor(scheduler.threadFactory());
    Future<Integer> answer = executor.submit(() -> 42);
    executor.shutdown();
    scheduler.run();
    assertThat(answer.get()).isEqualTo(42);
    assertThat(executor.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void runAsync_onTheScheduler_completesInAFiber() {
    CompletableFuture<Void> done =
        CompletableFuture.runAsync(() -> log.add("" + Scheduler.inFiber()), scheduler)
            .thenRunAsync(() -> log.add("then"), scheduler);
    scheduler.run();
    assertThat(done).isCompleted();
    assertThat(log).containsExactly("true", "then");
  }

  @Test
  void aVirtualThreadOutsideFibers_isNoFiber() throws Exception {
    Elsewhere.runVirtual(() -> {
      assertThat(Scheduler.inFiber()).isFalse();
      assertThatThrownBy(Scheduler::current).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(Fiber::current).isInstanceOf(IllegalStateException.class);
    });
  }
}
