package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.TimeKernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.logging.Level;
import org.junit.jupiter.api.Test;

/** R22: waits with a class initializer on the stack, which cannot unmount. */
@FdTest
class PinnedRulesTest {
  /** What the static initializers below do; each of them runs once in a JVM. */
  private static FiberBody work = () -> {};

  private static String workInInitializer() {
    try {
      work.run();
      return "done";
    } catch (Exception e) {
      return e.toString();
    }
  }

  private static final class ReadsReady {
    static final String RESULT = workInInitializer();
  }

  private static final class ReadsLater {
    static final String RESULT = workInInitializer();
  }

  private static final class Pauses {
    static final String RESULT = workInInitializer();
  }

  private static final class Interrupted {
    static final String RESULT = workInInitializer();
  }

  private static final class Strict {
    static final String RESULT = workInInitializer();
  }

  private static final class StrictPause {
    static final String RESULT = workInInitializer();
  }

  private static final class Joins {
    static final String RESULT = workInInitializer();
  }

  private static final class Endless {
    static final String RESULT = workInInitializer();
  }

  private final List<String> seen = new ArrayList<>();

  @Test
  void r22_ioWaitInAClassInitializer_isServedAndReportedWithTheFrame(Pipe pipe) {
    try (Scheduler s = Scheduler.create();
        Logged logged = new Logged()) {
      Fds.write(pipe.writeFd(), "x");
      work = () -> seen.add("saw " + Scheduler.ioWait(pipe.readFd(), READ, -1));
      Fiber fiber = s.spawn("pinned-one", () -> seen.add(ReadsReady.RESULT));
      s.run();
      assertThat(fiber.failure()).isEmpty();
      assertThat(seen).containsExactly("saw 1", "done");
      assertThat(logged.at(Level.WARNING)).hasSize(1);
      assertThat(logged.at(Level.WARNING).getFirst())
          .contains("pinned-one", "fd " + pipe.readFd(), ReadsReady.class.getName() + ".<clinit>")
          .contains("PinnedRulesTest.java");
    }
  }

  @Test
  void r22_dataThatComesLater_wakesTheWait(Pipe pipe) {
    try (Scheduler s = Scheduler.create();
        Logged logged = new Logged()) {
      work =
          () -> {
            writesWhenInPoll(Thread.currentThread(), pipe.writeFd());
            seen.add("saw " + Scheduler.ioWait(pipe.readFd(), READ, -1));
          };
      s.spawn(() -> seen.add(ReadsLater.RESULT));
      s.run();
      assertThat(seen).containsExactly("saw 1", "done");
      assertThat(logged.at(Level.WARNING)).isNotEmpty();
    }
  }

  private static void writesWhenInPoll(Thread waiter, int fd) {
    Thread.ofPlatform()
        .start(() -> {
          Elsewhere.awaitIn("ppoll", waiter);
          Fds.write(fd, "x");
        });
  }

  @Test
  void r22_pauseInAClassInitializer_isServedOnTheSchedulersClock() {
    ManualClock clock = new ManualClock();
    long start = clock.nanoTime();
    try (Scheduler s = Scheduler.builder().clock(clock).kernel(new TimeKernel(clock)).build();
        Logged logged = new Logged()) {
      work = () -> Scheduler.pause(3);
      s.spawn("sleeper", () -> seen.add(Pauses.RESULT));
      s.spawn(() -> seen.add("other"));
      s.run();
      assertThat(Duration.ofNanos(clock.nanoTime() - start)).isEqualTo(Duration.ofSeconds(3));
      assertThat(seen).containsExactly("done", "other");
      assertThat(logged.at(Level.WARNING)).hasSize(1);
      assertThat(logged.at(Level.WARNING).getFirst()).contains("sleeper", "a pause", "<clinit>");
      assertThat(s.nextWakeNanos()).isEmpty();
    }
  }

  @Test
  void r22_interrupt_endsTheWait(Pipe pipe) {
    try (Scheduler s = Scheduler.create();
        Logged logged = new Logged()) {
      work =
          () -> {
            Thread me = Thread.currentThread();
            Thread.ofPlatform()
                .start(() -> {
                  Elsewhere.awaitIn("ppoll", me);
                  me.interrupt();
                });
            Scheduler.ioWait(pipe.readFd(), READ, -1);
          };
      s.spawn(() -> seen.add(Interrupted.RESULT));
      s.run();
      assertThat(seen).hasSize(1);
      assertThat(seen.getFirst()).startsWith(InterruptedException.class.getName());
      assertThat(s.anyIoWaiter()).isFalse();
      assertThat(logged.at(Level.WARNING)).isNotEmpty();
    }
  }

  @Test
  void r22_aWaitWithoutEnd_isReportedEachSecond(Pipe pipe) {
    ManualClock clock = new ManualClock();
    TimeKernel kernel = new TimeKernel(clock);
    try (Scheduler s = Scheduler.builder().clock(clock).kernel(kernel).build();
        Logged logged = new Logged()) {
      work =
          () -> {
            Thread me = Thread.currentThread();
            Thread.ofPlatform()
                .start(() -> {
                  while (logged.at(Level.WARNING).size() < 4) {
                    Thread.onSpinWait();
                  }
                  me.interrupt();
                });
            Scheduler.ioWait(pipe.readFd(), READ, -1);
          };
      s.spawn("endless", () -> seen.add(Endless.RESULT));
      s.run();
      assertThat(logged.at(Level.WARNING)).hasSizeGreaterThanOrEqualTo(4);
      assertThat(logged.at(Level.WARNING)).allMatch(m -> m.contains("endless"));
      assertThat(kernel.blockingTimeouts()).allMatch(t -> t > 0 && t <= 1_000_000_000L);
    }
  }

  @Test
  void r22_strict_isIllegalState(Pipe pipe) {
    try (Scheduler s = Scheduler.builder().strict(true).build();
        Logged logged = new Logged()) {
      Fds.write(pipe.writeFd(), "x");
      work = () -> Scheduler.ioWait(pipe.readFd(), READ, -1);
      s.spawn("strict-one", () -> seen.add(Strict.RESULT));
      s.run();
      work = () -> Scheduler.pause(1000);
      s.spawn("strict-two", () -> seen.add(StrictPause.RESULT));
      s.run();
      assertThat(seen).hasSize(2);
      assertThat(seen.getFirst())
          .startsWith(IllegalStateException.class.getName())
          .contains("strict-one", "<clinit>");
      assertThat(seen.getLast())
          .startsWith(IllegalStateException.class.getName())
          .contains("strict-two");
      assertThat(logged.at(Level.WARNING)).isEmpty();
      assertThat(s.anyIoWaiter()).isFalse();
      assertThat(s.nextWakeNanos()).isEmpty();
    }
  }

  @Test
  void r22_joinWhilePinned_isRefused() {
    try (Scheduler s = Scheduler.create()) {
      Fiber other = s.spawn("other", () -> Scheduler.pause(0));
      work = other::join;
      s.spawn("joiner", () -> seen.add(Joins.RESULT));
      s.run();
      assertThat(seen).hasSize(1);
      assertThat(seen.getFirst())
          .startsWith(IllegalStateException.class.getName())
          .contains("joiner", "other");
    }
  }

  @Test
  void r22_notPinned_isNotReported(Pipe pipe) {
    try (Scheduler s = Scheduler.builder().strict(true).build();
        Logged logged = new Logged()) {
      Object monitor = new Object();
      boolean unmounts = Runtime.version().feature() >= 24;
      s.spawn(() -> {
        Function<Integer, Throwable> call =
            fd -> catchThrowable(() -> Scheduler.ioWait(fd, READ, 0.000_001));
        assertThat(call.apply(pipe.readFd())).isNull();
        synchronized (monitor) {
          Throwable t = call.apply(pipe.readFd());
          assertThat(t == null).isEqualTo(unmounts);
        }
        seen.add("done");
      });
      s.run();
      assertThat(seen).containsExactly("done");
      assertThat(logged.isEmpty()).isTrue();
    }
  }
}
