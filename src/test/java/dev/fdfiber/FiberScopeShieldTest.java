package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.Place;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Shields of clean-up against cancels and against the deadlines of scopes. */
@FdTest
@SuppressWarnings("FutureReturnValueIgnored") // a failure comes out of join
class FiberScopeShieldTest extends ScopeFixture {
  @Test
  void shield_defersACancelToItsEnd() throws Exception {
    Fiber owner =
        s.spawn(
            "owner",
            () -> {
              FiberScope.shield(() -> {
                Scheduler.pause(2);
                FiberScope.shield(() -> Scheduler.pause(1));
                assertThat(isInterrupted()).isFalse();
                log.add("cleaned up at " + now());
              });
              log.add("interrupted " + isInterrupted());
              Scheduler.pause(1);
            });
    s.spawn(() -> {
      Scheduler.pause(1);
      owner.cancel();
      owner.thread().interrupt(); // in a wait of ours it is deferred as well
    });
    s.run();
    assertThat(owner.failure()).get().isInstanceOf(InterruptedException.class);
    assertThat(log).containsExactly("cleaned up at 3.0", "interrupted true");
  }

  @Test
  void shield_holdsBackACancelThatIsPending() throws Exception {
    Place.in(
        s,
        () -> {
          Fiber.current().cancel();
          FiberScope.shield(() -> Scheduler.pause(1));
          assertThatThrownBy(() -> Scheduler.pause(1)).isInstanceOf(InterruptedException.class);
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shield_rawInterrupts_inEveryWaitOfOurs(boolean timed, Pipe pipe) throws Exception {
    Fiber other = s.spawn(() -> Scheduler.pause(5));
    Fiber owner =
        s.spawn(
            "owner",
            () ->
                FiberScope.shield(() -> {
                  double limit = timed ? 3 : -1;
                  assertThat(Scheduler.ioWait(pipe.readFd(), Scheduler.READ, limit))
                      .isEqualTo(timed ? 0 : 1);
                  Duration left = seconds(timed ? 4 : 100);
                  int[] seen =
                      Scheduler.ioWaitAny(
                          new int[] {pipe.readFd()}, new int[] {Scheduler.READ}, left);
                  assertThat(seen).containsExactly(Scheduler.READ);
                  other.join();
                }));
    s.spawn(() -> {
      Scheduler.pause(1);
      owner.thread().interrupt();
      Scheduler.pause(3);
      owner.thread().interrupt();
      Fds.write(pipe.writeFd(), "x");
      Scheduler.pause(0.5);
      owner.thread().interrupt();
    });
    s.run();
    Place.rethrow(owner);
    assertThat(now()).isEqualTo(5);
  }

  @Test
  void shield_defersADeadlineForItsOwner_notForTheChildren() throws Exception {
    Place.in(
        s,
        () -> {
          Throwable t =
              catchThrowable(() -> {
                try (FiberScope scope = open("fetch", 2)) {
                  scope.fork(() -> {
                    try {
                      return waiting("child").call();
                    } finally {
                      log.add("at " + now());
                    }
                  });
                  FiberScope.shield(() -> {
                    Scheduler.pause(4);
                    log.add("cleaned up at " + now());
                  });
                  log.add("interrupted " + isInterrupted());
                  Scheduler.pause(1000);
                }
              });
          assertThat(t).hasMessageStartingWith("scope fetch: ");
        });
    assertThat(log)
        .containsExactly("child cancelled", "at 2.0", "cleaned up at 4.0", "interrupted true");
  }

  @Test
  void shield_aDeadlineInside_worksAsEver() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope outer = open("outer", 1)) {
            FiberScope.shield(() -> {
              try (FiberScope inner = open("inner", 2)) {
                inner.fork(waiting("inner child"));
                assertThatThrownBy(inner::join).hasMessageStartingWith("scope inner: ");
              }
              assertThatThrownBy(() ->
                      FiberScope.within(
                          seconds(1),
                          () -> {
                            Scheduler.pause(1000);
                            return "";
                          }))
                  .isInstanceOf(TimeoutException.class);
              assertThat(now()).isEqualTo(3);
            });
            assertThatThrownBy(outer::join).hasMessageStartingWith("scope outer: ");
          }
        });
  }

  @Test
  void shield_inAChild_letsItCleanUp_whenTheScopeIsClosed() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = FiberScope.open()) {
            scope.fork(() -> {
              FiberScope.shield(() -> Scheduler.pause(2));
              log.add("done");
              return waiting("child").call();
            });
            Scheduler.pause(1);
          }
          assertThat(now()).isEqualTo(2);
        });
    assertThat(log).containsExactly("done", "child cancelled");
  }
}
