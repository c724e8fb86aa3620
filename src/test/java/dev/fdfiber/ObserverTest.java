package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.TimeKernel;
import dev.fdfiber.testing.WatchedKernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;
import java.util.logging.Level;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an observer is told, and that it changes nothing. */
@FdTest
class ObserverTest {
  private final List<String> log = new ArrayList<>();
  private final ManualClock clock = new ManualClock();

  /** Writes down what it is told. */
  private static final class Telling implements Observer {
    private final List<String> log;

    Telling(List<String> log) {
      this.log = log;
    }

    @Override
    public void spawned(Fiber fiber, long nanos) {
      log.add(fiber.name() + " spawned");
    }

    @Override
    public void ready(Fiber fiber, @Nullable Fiber by, long nanos) {
      log.add(fiber.name() + " ready by " + (by == null ? "no fiber" : by.name()));
    }

    @Override
    public void resumes(Fiber fiber, long readyNanos, long nanos) {
      log.add(fiber.name() + " resumes after " + (nanos - readyNanos));
    }

    @Override
    public void left(Fiber fiber, Fiber.State state, int fd, int mode, long nanos) {
      log.add(fiber.name() + " " + state + " " + fd + " " + mode + " " + fiber.info().fds());
    }
  }

  @ParameterizedTest
  @EnumSource(PollerKind.class)
  void events_tellOfEveryFiberWhatItDoes_andWhoWokeIt(PollerKind poller) {
    try (Scheduler s = Scheduler.builder().clock(clock).poller(poller).build();
        Fds.Pair pipe = Fds.pipe()) {
      s.attach(new Telling(log));
      int fd = pipe.b();
      s.spawn(
          "f",
          () -> {
            clock.advanceNanos(5);
            Scheduler.pause(0);
            Scheduler.ioWait(fd, Scheduler.WRITE, -1);
            Scheduler.ioWaitAny(new int[] {fd}, new int[] {Scheduler.WRITE}, Duration.ofSeconds(1));
            Thread own = Thread.ofVirtual().name("own").start(() -> clock.advanceNanos(7));
            clock.advanceNanos(3);
            own.join();
          });
      s.run();
      assertThat(log)
          .containsExactly(
              "f spawned",
              "f ready by no fiber",
              "f resumes after 0",
              "f READY -1 0 []",
              "f resumes after 0",
              "f WAITING_IO " + fd + " 2 [" + fd + "]",
              "f ready by no fiber",
              "f resumes after 0",
              "f WAITING_IO -1 0 [" + fd + "]",
              "f ready by no fiber",
              "f resumes after 0",
              "own spawned",
              "own ready by f",
              "f BLOCKED -1 0 []",
              "own resumes after 3",
              "f ready by own",
              "own DONE -1 0 []",
              "f resumes after 0",
              "f DONE -1 0 []");
    }
  }

  @Test
  void joiners_areWokenByTheFiberThatEnded_andADrivingFiberBySomeoneElsesTurn() {
    try (Scheduler s = Scheduler.builder().clock(clock).build()) {
      s.attach(new Telling(log));
      Fiber[] child = new Fiber[1];
      s.spawn(
          "parent",
          () -> {
            child[0] = s.spawn("child", () -> {});
            s.runUntilEmpty();
            child[0] = s.spawn("second", () -> {});
            child[0].join();
          });
      s.run();
    }
    assertThat(log)
        .containsExactly(
            "parent spawned",
            "parent ready by no fiber",
            "parent resumes after 0",
            "child spawned",
            "child ready by parent",
            "parent BLOCKED -1 0 []",
            "child resumes after 0",
            "child DONE -1 0 []",
            "parent ready by no fiber",
            "parent resumes after 0",
            "second spawned",
            "second ready by parent",
            "parent BLOCKED -1 0 []",
            "second resumes after 0",
            "second DONE -1 0 []",
            "parent ready by second",
            "parent resumes after 0",
            "parent DONE -1 0 []");
  }

  @Test
  void looked_tellsHowManyWereResumedAndWoken_andWhenItBegan() {
    List<String> looks = new ArrayList<>();
    Observer observer =
        new Observer() {
          @Override
          public void looked(int resumed, int woken, long startNanos, long nanos) {
            looks.add(resumed + " " + woken + " " + (nanos - startNanos));
          }
        };
    // Where time stands still between looks, or the third may wait when the first is over.
    try (Scheduler s = Scheduler.builder().clock(clock).kernel(new TimeKernel(clock)).build()) {
      s.attach(observer);
      for (int i = 0; i < 3; i++) {
        s.spawn(() -> {
          Scheduler.pause(0.000_001);
          Scheduler.pause(0);
        });
      }
      s.run();
    }
    assertThat(looks).startsWith("3 3 1000");
  }

  @Test
  void pollerSwitched_isToldWhenManyDescriptorsAreWaitedFor() {
    List<PollerKind> kinds = new ArrayList<>();
    Observer observer =
        new Observer() {
          @Override
          public void pollerSwitched(PollerKind kind, long nanos) {
            kinds.add(kind);
          }
        };
    int many = 40;
    try (Scheduler s = Scheduler.builder().poller(PollerKind.AUTO).build()) {
      s.attach(observer);
      s.spawn(() -> {});
      s.runFor(0);
      assertThat(s.info().poller()).isEqualTo(PollerKind.POLL);
      List<Fds.Pair> pipes = new ArrayList<>();
      for (int i = 0; i < many; i++) {
        Fds.Pair pipe = Fds.pipe();
        pipes.add(pipe);
        s.spawn(() -> Scheduler.ioWait(pipe.a(), Scheduler.READ, -1));
      }
      s.spawn(() -> Scheduler.pause(0.001));
      s.spawn(() -> Scheduler.ioWait(pipes.getFirst().b(), Scheduler.WRITE, -1));
      s.runUntilEmpty();
      assertThat(s.info().poller()).isEqualTo(PollerKind.EPOLL);
      assertThat(kinds).containsExactly(PollerKind.EPOLL);
      s.clear();
      pipes.forEach(Fds.Pair::close);
    }
  }

  @Test
  void attach_toASchedulerWhoseDriverBlocks_takesEffectAtOnce_andDetachEndsIt() throws Exception {
    LinkedBlockingQueue<String> seen = new LinkedBlockingQueue<>();
    Observer observer =
        new Observer() {
          @Override
          public void looked(int resumed, int woken, long startNanos, long nanos) {
            seen.add("look");
          }

          @Override
          public void resumes(Fiber fiber, long readyNanos, long nanos) {
            seen.add(fiber.name());
          }
        };
    WatchedKernel kernel = new WatchedKernel();
    try (Scheduler s = Scheduler.builder().kernel(kernel).build()) {
      Fiber sleeper = s.spawn("sleeper", () -> Scheduler.pause(Duration.ofHours(1)));
      Thread driver = Thread.ofPlatform().start(s::run);
      kernel.awaitBlockingPoll();
      s.attach(observer);
      s.attach(observer);
      s.spawn("one", () -> {}).join();
      s.detach(observer);
      s.detach(observer);
      s.spawn("two", () -> {}).join();
      s.spawn("three", () -> {}).join();
      sleeper.cancel();
      driver.join();
    }
    assertThat(seen).contains("one").doesNotContain("three");
    assertThat(seen.stream().filter("one"::equals)).hasSize(1);
  }

  @Test
  void attach_fromAFiber_isToldOfWhatComesInLaterPasses() {
    try (Scheduler s = Scheduler.builder().clock(clock).build()) {
      s.spawn(
          "f",
          () -> {
            s.attach(new Telling(log));
            Scheduler.pause(0);
            Scheduler.pause(0);
          });
      s.run();
    }
    assertThat(log).startsWith("f resumes after 0", "f READY -1 0 []").endsWith("f DONE -1 0 []");
  }

  @Test
  void attach_afterClose_isRefused_andDetachIsNot() {
    Scheduler s = Scheduler.create();
    Observer observer = new Observer() {};
    s.attach(observer);
    s.close();
    assertThatThrownBy(() -> s.attach(observer)).isInstanceOf(IllegalStateException.class);
    s.detach(observer);
  }

  @Test
  void anObserverThatThrows_isReportedOnce_andDetached_andTheOthersGoOn() {
    Observer broken =
        new Observer() {
          @Override
          public void resumes(Fiber fiber, long readyNanos, long nanos) {
            throw new IllegalStateException("broken");
          }

          @Override
          public void ready(Fiber fiber, @Nullable Fiber by, long nanos) {
            throw new AssertionError("broken, too");
          }

          @Override
          public String toString() {
            return "of the test";
          }
        };
    try (Logged logged = new Logged();
        Scheduler s = Scheduler.builder().clock(clock).build()) {
      s.attach(broken);
      s.attach(new Telling(log));
      s.spawn("f", () -> s.spawn("g", () -> Scheduler.pause(0)));
      s.run();
      s.spawn("h", () -> {});
      s.run();
      assertThat(logged.at(Level.SEVERE))
          .containsExactly(
              "observer of the test threw java.lang.AssertionError: broken, too, and is detached");
    }
    assertThat(log).contains("f DONE -1 0 []", "g DONE -1 0 []", "h DONE -1 0 []");
  }

  @Test
  void observersDoNotChangeTheOrder() {
    List<String> alone = order(null);
    assertThat(order(new Telling(log))).isEqualTo(alone);
    assertThat(alone).hasSizeGreaterThan(100);
  }

  private static List<String> order(@Nullable Observer observer) {
    List<String> order = new ArrayList<>();
    try (Scheduler s = Scheduler.builder().seed(7).build();
        Fds.Pair pipe = Fds.pipe()) {
      if (observer != null) {
        s.attach(observer);
      }
      for (int i = 0; i < 20; i++) {
        int id = i;
        s.spawn(() -> {
          for (int k = 0; k < 5; k++) {
            order.add(id + " " + k);
            Scheduler.pause(0);
            Scheduler.ioWait(pipe.b(), Scheduler.WRITE, -1);
            s.spawn(() -> order.add(id + " child"));
          }
        });
      }
      s.run();
    }
    return order;
  }

  @Test
  void nanosInState_isExactWhileObserved() {
    try (Scheduler s = Scheduler.builder().clock(clock).build()) {
      s.attach(new Observer() {});
      Fiber f = s.spawn(() -> Scheduler.pause(Duration.ofHours(1)));
      s.runFor(0);
      clock.advanceNanos(1_000);
      assertThat(f.info().nanosInState()).isEqualTo(1_000);
      assertThat(s.fibers().getFirst().nanosInState()).isEqualTo(1_000);
      s.clear();
    }
  }

  @Test
  void nanosInState_isTooMuchByTheTimeFromTheLastLookAtMost() {
    try (Scheduler s = Scheduler.builder().clock(clock).build();
        Fds.Pair pipe = Fds.pipe()) {
      Fiber f =
          s.spawn(() -> {
            Scheduler.pause(0.000_001);
            clock.advanceNanos(50);
            Scheduler.ioWait(pipe.a(), Scheduler.READ, -1);
          });
      s.runFor(0);
      clock.advanceNanos(1_000_000);
      s.runUntilEmpty();
      clock.advanceNanos(1_000);
      assertThat(f.info().nanosInState()).isEqualTo(1_050);
      s.clear();
    }
  }

  @Test
  @Tag("slow")
  void held_isToldEachTimeThatAFiberRunsForTooLong() throws Exception {
    LinkedBlockingQueue<String> held = new LinkedBlockingQueue<>();
    Observer observer =
        new Observer() {
          @Override
          public void held(Fiber fiber, long heldNanos, List<StackTraceElement> stack) {
            boolean here =
                stack.stream().anyMatch(f -> f.getClassName().equals(ObserverTest.class.getName()));
            held.add(fiber.name() + " " + (heldNanos >= 1_000_000) + " " + here);
          }
        };
    try (Logged logged = new Logged();
        Scheduler s = Scheduler.builder().heldLimit(Duration.ofMillis(1)).build()) {
      s.attach(observer);
      s.spawn(
          "holder",
          () -> {
            for (int i = 0; i < 2; i++) {
              while (held.size() <= i) {
                Thread.onSpinWait();
              }
              Scheduler.pause(0);
            }
          });
      s.run();
      assertThat(logged.at(Level.WARNING)).hasSize(1);
    }
    assertThat(held).startsWith("holder true true", "holder true true");
  }

  @Test
  void attachToAll_observesWhatIsOpenAndWhatIsStillMade_untilDetached() {
    List<String> made = new ArrayList<>();
    Function<Scheduler, Observer> maker =
        s -> {
          made.add(s.name());
          return new Telling(log);
        };
    try (Scheduler before = Scheduler.builder().name("before").clock(clock).build()) {
      Scheduler.attachToAll(maker);
      try (Scheduler after = Scheduler.builder().name("after").clock(clock).build()) {
        assertThat(made).endsWith("before", "after");
        before.spawn("b", () -> {});
        before.run();
        after.spawn("a", () -> {});
        after.run();
        assertThat(log).contains("b DONE -1 0 []", "a DONE -1 0 []");
        Scheduler.detachFromAll(maker);
        Scheduler.detachFromAll(maker);
        log.clear();
        before.spawn(() -> {});
        before.run();
        after.spawn(() -> {});
        after.run();
      }
      Scheduler.create().close();
      assertThat(log).isEmpty();
      assertThat(made).endsWith("before", "after");
    } finally {
      Scheduler.detachFromAll(maker);
    }
  }

  @Test
  void aMakerThatThrows_isReported_andTheSchedulerIsMade() {
    Function<Scheduler, Observer> broken =
        s -> {
          throw new IllegalStateException("broken");
        };
    try (Logged logged = new Logged()) {
      Scheduler.attachToAll(broken);
      try (Scheduler s = Scheduler.builder().name("whole").build()) {
        s.spawn(() -> log.add("ran"));
        s.run();
      }
      assertThat(log).containsExactly("ran");
      assertThat(logged.at(Level.SEVERE).getLast())
          .endsWith(
              "threw java.lang.IllegalStateException: broken, and does not observe scheduler"
                  + " whole");
    } finally {
      Scheduler.detachFromAll(broken);
    }
  }

  @Test
  void all_areTheSchedulersThatAreOpen_inTheirOrder() {
    Scheduler first = Scheduler.create();
    try (Scheduler second = Scheduler.builder().name("second").build()) {
      assertThat(Scheduler.all()).containsSubsequence(first, second);
      first.close();
      assertThat(Scheduler.all()).contains(second).doesNotContain(first);
      assertThat(second.name()).isEqualTo("second");
    }
  }
}
