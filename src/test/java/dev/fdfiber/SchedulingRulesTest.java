package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static dev.fdfiber.Scheduler.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.SocketPair;
import dev.fdfiber.testing.TimeKernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** R1, one at a time, and R2, the order. */
@FdTest
class SchedulingRulesTest {
  private final ManualClock clock = new ManualClock();
  private final TimeKernel kernel = new TimeKernel(clock);
  private final Scheduler scheduler = Scheduler.builder().kernel(kernel).clock(clock).build();
  private final List<String> log = new ArrayList<>();

  @AfterEach
  void close() {
    scheduler.close();
  }

  // ---- R1

  @Test
  void r1_oneFiberRunsAtATime_alwaysOnTheDriver() throws Exception {
    AtomicInteger inside = new AtomicInteger();
    List<String> carriers = new ArrayList<>();
    FiberBody body =
        () -> {
          for (int i = 0; i < 20; i++) {
            assertThat(inside.incrementAndGet()).isEqualTo(1);
            carriers.add(Thread.currentThread().toString());
            assertThat(inside.decrementAndGet()).isZero();
            Scheduler.pause(i % 3 / 1000.0);
          }
        };
    List<Fiber> fibers = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      fibers.add(scheduler.spawn(body));
    }
    Elsewhere<Void> others =
        Elsewhere.begin(() -> {
          for (int i = 0; i < 100; i++) {
            scheduler.execute(() -> carriers.add(Thread.currentThread().toString()));
          }
        });
    others.result();
    String driver = Thread.currentThread().getName();

    scheduler.run();

    assertThat(carriers).hasSize(300).allMatch(name -> name.endsWith("@" + driver));
    assertThat(fibers).allMatch(fiber -> fiber.failure().isEmpty());
  }

  @Test
  void r1_nothingPreemptsAFiber(Pipe pipe) throws Exception {
    Fiber parked =
        scheduler.spawn(() -> {
          LockSupport.park();
          log.add("unparked");
        });
    scheduler.spawn(() -> {
      Scheduler.pause(0.001);
      log.add("timer");
    });
    scheduler.spawn(() -> {
      Scheduler.ioWait(pipe.readFd(), READ, -1);
      log.add("fd");
    });
    scheduler.runUntilEmpty();
    scheduler.spawn(() -> {
      log.add("begin");
      clock.advance(Duration.ofSeconds(1));
      Fds.write(pipe.writeFd(), "x");
      LockSupport.unpark(parked.thread());
      scheduler.spawn(() -> log.add("spawned"));
      AtomicBoolean submitted = new AtomicBoolean();
      Elsewhere.begin(() -> {
        scheduler.execute(() -> log.add("foreign"));
        submitted.set(true);
      });
      while (!submitted.get()) {
        Thread.onSpinWait();
      }
      log.add("end");
    });

    scheduler.runUntilEmpty();

    assertThat(log)
        .startsWith("begin", "end")
        .containsExactlyInAnyOrder("begin", "end", "unparked", "timer", "fd", "spawned", "foreign");
  }

  @Test
  void r1_aFiberRunsUntilItParksYieldsOrEnds() {
    scheduler.spawn(() -> {
      log.add("a1");
      Scheduler.pause(0);
      log.add("a2");
      Scheduler.pause(0.001);
      log.add("a3");
    });
    scheduler.spawn(() -> {
      log.add("b1");
      LockSupport.park();
      log.add("b2");
    });
    scheduler.spawn(() -> log.add("c"));

    scheduler.runUntilEmpty();

    assertThat(log).containsExactly("a1", "b1", "c", "a2");
  }

  // ---- R2

  @Test
  void r2_readyQueue_isFirstInFirstOut() {
    for (String name : List.of("a", "b", "c")) {
      scheduler.spawn(() -> {
        for (int i = 0; i < 4; i++) {
          log.add(name);
          Scheduler.pause(0);
        }
      });
    }
    scheduler.run();

    assertThat(String.join("", log)).isEqualTo("abcabcabcabc");
  }

  @Test
  void r2_aPassAppends_inboxThenTimersThenReadyFds(Pipe pipe) throws Exception {
    spawnReader("fd", pipe.readFd(), -1);
    spawnPause("timer", 0.010);
    scheduler.runUntilEmpty();
    Fds.write(pipe.writeFd(), "x");
    clock.advance(Duration.ofMillis(10));
    Elsewhere.run(() -> scheduler.spawn(() -> log.add("inbox 1")));
    Elsewhere.run(() -> scheduler.spawn(() -> log.add("inbox 2")));

    scheduler.tick(0); // the queue is not empty: no look is due yet
    scheduler.runUntilEmpty();

    assertThat(log).containsExactly("inbox 1", "inbox 2", "timer", "fd");
  }

  @Test
  void r2_inboxOfTheSamePass_comesBeforeTimersAndFds(Pipe pipe) throws Exception {
    spawnReader("fd", pipe.readFd(), -1);
    spawnPause("timer", 0.010);
    scheduler.spawn(() -> {
      Fds.write(pipe.writeFd(), "x");
      clock.advance(Duration.ofMillis(10));
      submitFromElsewhere("inbox");
      Scheduler.ioWait(pipe.readFd(), WRITE, 0); // a zero-timeout wait asks for a look
      log.add("zero");
    });

    scheduler.runUntilEmpty();

    assertThat(log).containsExactly("inbox", "timer", "zero", "fd");
  }

  @Test
  void r2_expiredTimers_comeByDeadline_thenByOrderOfRegistration() {
    spawnPause("30", 0.030);
    spawnPause("10 first", 0.010);
    spawnPause("20", 0.020);
    spawnPause("10 second", 0.010);
    spawnPause("10 third", 0.010);
    scheduler.runUntilEmpty();
    clock.advance(Duration.ofMillis(30));

    scheduler.runUntilEmpty();

    assertThat(log).containsExactly("10 first", "10 second", "10 third", "20", "30");
  }

  @Test
  void r2_thousandTimersInOneLook_comeByDeadlineThenRegistration() {
    List<Integer> millis = new ArrayList<>();
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      int id = i;
      int wait = 1 + (i * 7919) % 50; // many ties
      millis.add(wait);
      scheduler.spawn(() -> {
        Scheduler.pause(Duration.ofMillis(wait));
        order.add(id);
      });
    }
    scheduler.runUntilEmpty();
    clock.advance(Duration.ofSeconds(2)); // past the clock's wrap-around
    scheduler.runUntilEmpty();

    List<Integer> expected = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      expected.add(i);
    }
    expected.sort((a, b) -> Integer.compare(millis.get(a), millis.get(b))); // stable
    assertThat(order).isEqualTo(expected);
  }

  @Test
  void r2_readyFds_comeInOrderOfRegistration() throws Exception {
    List<Fds.Pair> pipes = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      pipes.add(Fds.pipe());
    }
    int[] registration = {3, 0, 4, 1, 2};
    for (int i : registration) {
      spawnReader("r" + i, pipes.get(i).a(), -1);
    }
    scheduler.runUntilEmpty();
    for (int i : new int[] {2, 4, 0, 3, 1}) {
      Fds.write(pipes.get(i).b(), "x");
    }

    scheduler.runUntilEmpty();

    assertThat(log).containsExactly("r3", "r0", "r4", "r1", "r2");
    pipes.forEach(Fds.Pair::close);
  }

  @Test
  void r2_aNewWaitOfAnOldFiber_takesANewPlace(Pipe one, Pipe two) throws Exception {
    scheduler.spawn(() -> {
      Scheduler.ioWait(one.readFd(), READ, 0); // registered first, but over
      Scheduler.pause(0);
      Scheduler.ioWait(one.readFd(), READ, -1);
      log.add("one");
    });
    spawnReader("two", two.readFd(), -1);
    scheduler.runUntilEmpty();
    Fds.write(one.writeFd(), "x");
    Fds.write(two.writeFd(), "x");

    scheduler.runUntilEmpty();

    assertThat(log).containsExactly("two", "one");
  }

  @Test
  void r2_severalWaitersOfOneFd_comeInOrderOfRegistrationAmongAll(SocketPair one, SocketPair two)
      throws Exception {
    spawnReader("one 1", one.a(), -1);
    spawnReader("two 1", two.a(), -1);
    spawnReader("one 2", one.a(), -1);
    spawnReader("two 2", two.a(), -1);
    scheduler.runUntilEmpty();
    Fds.write(two.b(), "x");
    Fds.write(one.b(), "x");

    scheduler.runUntilEmpty();

    assertThat(log).containsExactly("one 1", "two 1", "one 2", "two 2");
  }

  @Test
  void r2_aWaitReadyAndExpired_takesItsPlaceAmongTheReadyFds() throws Exception {
    try (Fds.Pair one = Fds.pipe();
        Fds.Pair two = Fds.pipe();
        Fds.Pair three = Fds.pipe()) {
      spawnReader("one", one.a(), -1);
      spawnReader("two", two.a(), 0.005); // the earliest deadline of all
      spawnReader("three", three.a(), -1);
      spawnPause("timer", 0.010);
      scheduler.spawn(() -> {
        assertThat(Scheduler.ioWait(two.a(), WRITE, 0.007)).isZero();
        log.add("timeout");
      });
      scheduler.runUntilEmpty();
      clock.advance(Duration.ofSeconds(1));
      for (Fds.Pair pipe : List.of(three, two, one)) {
        Fds.write(pipe.b(), "x");
      }

      scheduler.runUntilEmpty();

      assertThat(log).containsExactly("timeout", "timer", "one", "two", "three");
    }
  }

  @Test
  void r2_whatAFiberSubmits_isAppendedAtOnce() {
    Fiber parked =
        scheduler.spawn(() -> {
          LockSupport.park();
          log.add("unparked");
        });
    scheduler.runUntilEmpty();
    scheduler.spawn(() -> {
      submitFromElsewhere("foreign"); // arrives first, but is taken in the next pass
      scheduler.spawn(() -> log.add("spawned"));
      LockSupport.unpark(parked.thread());
      scheduler.execute(() -> log.add("executed"));
      Scheduler.pause(0);
      log.add("yielded");
    });
    scheduler.spawn(() -> log.add("before"));

    scheduler.runUntilEmpty();

    assertThat(log)
        .containsExactly("before", "spawned", "unparked", "executed", "yielded", "foreign");
  }

  @Test
  void r2_aCancelByAFiber_isAppendedAtOnce() {
    Fiber victim =
        scheduler.spawn(() -> {
          try {
            Scheduler.pause(1000);
          } catch (InterruptedException e) {
            log.add("cancelled");
          }
        });
    scheduler.runUntilEmpty();
    scheduler.spawn(() -> {
      victim.cancel();
      scheduler.spawn(() -> log.add("spawned"));
    });

    scheduler.runUntilEmpty();

    assertThat(log).containsExactly("cancelled", "spawned");
  }

  @Test
  void r2_submissionsByOtherThreads_keepTheirOrderOfArrival() throws Exception {
    Fiber parked =
        scheduler.spawn(() -> {
          LockSupport.park();
          log.add("unparked");
        });
    scheduler.runUntilEmpty();
    Elsewhere.run(() -> {
      scheduler.spawn(() -> log.add("1"));
      LockSupport.unpark(parked.thread());
      scheduler.execute(() -> log.add("2"));
    });
    Elsewhere.run(() -> scheduler.threadFactory().newThread(() -> log.add("3")).start());

    scheduler.runUntilEmpty();

    assertThat(log).containsExactly("1", "unparked", "2", "3");
  }

  // ---- helpers

  private void spawnReader(String name, int fd, double seconds) {
    scheduler.spawn(() -> {
      assertThat(Scheduler.ioWait(fd, READ, seconds)).isEqualTo(READ);
      log.add(name);
    });
  }

  private void spawnPause(String name, double seconds) {
    scheduler.spawn(() -> {
      Scheduler.pause(seconds);
      log.add(name);
    });
  }

  /** Another thread spawns; spins, since to park would be to step aside. */
  private void submitFromElsewhere(String name) {
    AtomicBoolean submitted = new AtomicBoolean();
    Elsewhere.begin(() -> {
      scheduler.spawn(() -> log.add(name));
      submitted.set(true);
    });
    while (!submitted.get()) {
      Thread.onSpinWait();
    }
  }
}
