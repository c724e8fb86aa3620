package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Pipe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** What a steering decides. */
@FdTest
class SteeringTest {
  private final List<String> log = new ArrayList<>();
  private final ManualClock clock = new ManualClock();

  private Scheduler steered(Steering steering) {
    return Scheduler.builder().clock(clock).steering(steering).build();
  }

  @Test
  void choose_decidesWhoGoesOn_andTheOthersKeepTheirOrder() {
    Steering third =
        new Steering() {
          @Override
          public int choose(List<Fiber> ready) {
            return ready.size() == 4 ? 2 : 0;
          }
        };
    try (Scheduler s = steered(third)) {
      for (String name : List.of("a", "b", "c", "d")) {
        s.spawn(name, () -> log.add(name));
      }
      s.run();
    }
    assertThat(log).containsExactly("c", "a", "b", "d");
  }

  @Test
  void looksEarly_letsReadinessComeBeforeWhoIsReadyAlready() {
    Steering early =
        new Steering() {
          @Override
          public boolean looksEarly() {
            return true;
          }
        };
    for (Steering steering : List.of(early, new Steering() {})) {
      log.clear();
      try (Scheduler s = steered(steering);
          Fds.Pair pipe = Fds.pipe()) {
        s.spawn(() -> {
          Scheduler.ioWait(pipe.a(), Scheduler.READ, -1);
          log.add("reader");
        });
        s.spawn(() -> {
          Fds.write(pipe.b(), "x");
          Scheduler.pause(0);
          Scheduler.pause(0);
          log.add("writer");
        });
        s.run();
      }
      List<String> order =
          steering.looksEarly() ? List.of("reader", "writer") : List.of("writer", "reader");
      assertThat(log).as("%s", steering).isEqualTo(order);
    }
  }

  @Test
  void idle_isToldTheNextTimerAndTheLimit_andMayMoveTheClock() {
    List<Long> asked = new ArrayList<>();
    Steering jumping =
        new Steering() {
          @Override
          public boolean idle(long timerNanos, long limitNanos) {
            asked.add(timerNanos);
            asked.add(limitNanos);
            clock.advanceNanos(timerNanos < 0 ? limitNanos : timerNanos);
            return true;
          }
        };
    try (Scheduler s = steered(jumping)) {
      s.spawn(() -> Scheduler.pause(Duration.ofHours(1)));
      s.run();
      s.spawn(() -> Scheduler.pause(7));
      s.runFor(3);
      s.clear();
      s.spawn(() -> LockSupport.park());
      s.runFor(5);
    }
    long s = 1_000_000_000L;
    assertThat(asked).startsWith(3600 * s, -1L, 7 * s, 3 * s).contains(5 * s);
  }

  @Test
  void idle_isNotAskedWhileAnythingIsReady_andWhatItThrowsComesOutOfTheDrivingCall(Pipe pipe) {
    Steering refusing =
        new Steering() {
          @Override
          public boolean idle(long timerNanos, long limitNanos) {
            if (limitNanos < 0) {
              throw new IllegalStateException("idle");
            }
            return false;
          }
        };
    try (Scheduler s = steered(refusing)) {
      Fds.write(pipe.writeFd(), "x");
      s.spawn(() -> Scheduler.ioWait(pipe.readFd(), Scheduler.READ, -1));
      s.run();
      s.spawn(() -> Scheduler.ioWait(pipe.writeFd(), Scheduler.READ, -1));
      assertThatThrownBy(s::run).hasMessage("idle");
      assertThat(s.aliveCount()).isOne();
    }
  }
}
