package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.Pipe;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.logging.Level;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** R19: what leaves the body of a fiber. */
@FdTest
class FailureRulesTest {
  private final List<String> seen = new ArrayList<>();
  private final List<String> reported = new ArrayList<>();

  private Scheduler recording() {
    return Scheduler.builder()
        .onUncaught((fiber, t) -> reported.add(fiber.name() + ": " + t.getMessage()))
        .build();
  }

  @Test
  void r19_exception_endsThatFiberAlone() {
    try (Scheduler s = recording()) {
      Exception thrown = new Exception("checked");
      Error error = new StackOverflowError("error");
      Fiber before = s.spawn(() -> steps("before"));
      Fiber fails =
          s.spawn(
              "fails",
              () -> {
                throw thrown;
              });
      Fiber errs =
          s.spawn(
              "errs",
              () -> {
                throw error;
              });
      Fiber after = s.spawn(() -> steps("after"));
      s.run();
      assertThat(fails.failure()).containsSame(thrown);
      assertThat(errs.failure()).containsSame(error);
      assertThat(List.of(fails.state(), errs.state())).containsOnly(Fiber.State.DONE);
      assertThat(before.failure()).isEmpty();
      assertThat(after.failure()).isEmpty();
      assertThat(seen).containsExactly("before0", "after0", "before1", "after1");
      assertThat(reported).containsExactly("fails: checked", "errs: error");
    }
  }

  private void steps(String name) throws InterruptedException {
    seen.add(name + 0);
    Scheduler.pause(0);
    seen.add(name + 1);
  }

  @Test
  void r19_exceptionAfterAWait_isKeptToo(Pipe pipe) {
    try (Scheduler s = recording()) {
      Fiber fiber =
          s.spawn(
              "late",
              () -> {
                Scheduler.ioWait(pipe.readFd(), Scheduler.READ, -1);
                throw new IllegalStateException("late");
              });
      s.runUntilEmpty();
      assertThat(fiber.failure()).isEmpty();
      Fds.write(pipe.writeFd(), "x");
      s.run();
      assertThat(fiber.failure()).get().isInstanceOf(IllegalStateException.class);
      assertThat(reported).containsExactly("late: late");
    }
  }

  @Test
  void r19_byDefault_isLoggedAsErrorWithTheFibersName() {
    try (Scheduler s = Scheduler.create();
        Logged logged = new Logged()) {
      Exception thrown = new Exception("why");
      s.spawn(
          "the-name",
          () -> {
            throw thrown;
          });
      s.execute(() -> {
        throw new IllegalArgumentException("executed");
      });
      s.run();
      assertThat(logged.at(Level.SEVERE)).hasSize(2); // System.Logger's ERROR
      assertThat(logged.at(Level.SEVERE).getFirst()).contains("the-name").contains("why");
      assertThat(logged.thrown().getFirst()).isSameAs(thrown);
      assertThat(logged.at(Level.SEVERE).getLast()).contains("fiber-").contains("executed");
    }
  }

  @Test
  void r19_bodyThatEndsWell_hasNoFailure() {
    try (Scheduler s = recording()) {
      Fiber fiber = s.spawn(() -> {});
      s.run();
      assertThat(fiber.failure()).isEmpty();
      assertThat(reported).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pause", "take", "read", "rethrown"})
  void r19_endOfACancelledFiber_isKeptAndNotReported(String wait, Pipe pipe) throws Exception {
    try (Scheduler s = recording()) {
      Fiber fiber = s.spawn(() -> waitIn(wait, pipe.readFd()));
      s.runUntilEmpty();
      fiber.cancel();
      s.run();
      assertThat(fiber.failure()).isPresent();
      assertThat(reported).isEmpty();
    }
  }

  private static void waitIn(String wait, int fd) throws Exception {
    switch (wait) {
      case "pause" -> Scheduler.pause(1000);
      case "take" -> new LinkedBlockingQueue<>().take();
      case "read" -> FdChannel.borrow(fd).read(ByteBuffer.allocate(1));
      default -> {
        try {
          Scheduler.ioWait(fd, Scheduler.READ, -1);
        } finally {
          seen("cleaned up");
        }
      }
    }
  }

  private static void seen(String what) {
    assertThat(what).isNotEmpty();
  }

  @Test
  void r19_anotherExceptionOutOfACancelledFiber_isReported() {
    try (Scheduler s = recording()) {
      Fiber fiber =
          s.spawn(
              "bad",
              () -> {
                try {
                  Scheduler.pause(1000);
                } catch (InterruptedException e) {
                  throw new IllegalStateException("in the cleanup", e);
                }
              });
      s.runUntilEmpty();
      fiber.cancel();
      s.run();
      assertThat(reported).containsExactly("bad: in the cleanup");
    }
  }

  @Test
  void r19_handlerThatThrows_isLogged() {
    try (Scheduler s =
            Scheduler.builder()
                .onUncaught((fiber, t) -> {
                  throw new IllegalArgumentException("handler");
                })
                .build();
        Logged logged = new Logged()) {
      Fiber fiber =
          s.spawn(
              "victim",
              () -> {
                throw new Exception("first");
              });
      Fiber after = s.spawn(() -> steps("after"));
      s.run();
      assertThat(logged.at(Level.SEVERE)).hasSize(1);
      assertThat(logged.at(Level.SEVERE).getFirst()).contains("victim").contains("handler");
      assertThat(fiber.failure()).get().isInstanceOf(Exception.class);
      assertThat(fiber.failure().get()).hasMessage("first");
      assertThat(after.failure()).isEmpty();
      assertThat(seen).containsExactly("after0", "after1");
    }
  }

  @Test
  void r19_handlerThatWaits_holdsNobody() {
    try (Scheduler s =
        Scheduler.builder()
            .onUncaught((fiber, t) -> {
              try {
                Scheduler.pause(0.000_001);
                reported.add("waited");
              } catch (InterruptedException e) {
                reported.add("interrupted");
              }
            })
            .build()) {
      s.spawn(() -> {
        throw new Exception("x");
      });
      s.spawn(() -> steps("other"));
      s.run();
      assertThat(reported).containsExactly("waited");
      assertThat(seen).containsExactly("other0", "other1");
    }
  }

  @Test
  void r19_virtualThreadOfAFiber_failsLikeAFiber() {
    try (Scheduler s = recording()) {
      Fiber parent =
          s.spawn(() ->
              Thread.ofVirtual()
                  .name("child")
                  .start(() -> {
                    throw new IllegalStateException("in the child");
                  }));
      s.spawn(() -> steps("other"));
      s.run();
      assertThat(parent.failure()).isEmpty();
      assertThat(reported).containsExactly("child: in the child");
      assertThat(seen).containsExactly("other0", "other1");
    }
  }

  @Test
  void r19_driver_neverSeesWhatAFiberThrows() {
    try (Scheduler s = recording()) {
      for (int i = 0; i < 4; i++) {
        s.spawn(() -> {
          throw new IllegalStateException("x");
        });
      }
      assertThat(s.tick(0)).isTrue();
      assertThat(s.runUntilEmpty()).isEqualTo(3);
      s.spawn(() -> {
        throw new IllegalStateException("x");
      });
      s.runFor(1);
      assertThat(reported).hasSize(5);
      assertThat(s.aliveCount()).isZero();
    }
  }
}
