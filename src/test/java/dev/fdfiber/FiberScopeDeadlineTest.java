package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.Place;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Deadlines of scopes. */
@FdTest
@SuppressWarnings("FutureReturnValueIgnored") // a failure comes out of join
class FiberScopeDeadlineTest extends ScopeFixture {
  @ParameterizedTest
  @EnumSource(Place.class)
  void join_pastTheDeadline_cancelsAllAndNamesTheScope(Place place) throws Exception {
    in(
        place,
        () -> {
          try (FiberScope scope = open("fetch", 2)) {
            Future<String> child = scope.fork(waiting("child"));
            Future<String> done = scope.fork(() -> "done");
            scope.fork(() -> {
              try {
                return waiting("bad").call();
              } finally {
                throwIo("clean-up failed");
              }
            });
            assertThatThrownBy(scope::join)
                .isInstanceOf(TimeoutException.class)
                .hasMessage(
                    "scope fetch: its deadline, PT2S after it was opened, has passed;"
                        + " cancelled: fetch-1, fetch-3")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
            assertThat(now()).isEqualTo(2);
            assertThat(isInterrupted()).isFalse();
            assertThat(child.state()).isEqualTo(Future.State.CANCELLED);
            assertThat(done.state()).isEqualTo(Future.State.SUCCESS);
            assertThat(scope.fork(() -> 1).state()).isEqualTo(Future.State.CANCELLED);
            assertThatThrownBy(scope::join).isInstanceOf(TimeoutException.class);
          }
        });
    assertThat(log).containsExactly("child cancelled", "bad cancelled");
  }

  @Test
  void join_inTime_leavesNoTimer() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = open("fetch", 2)) {
            Future<Integer> child = scope.fork(() -> 1);
            scope.join();
            assertThat(child.resultNow()).isEqualTo(1);
            assertThat(s.nextWakeNanos()).hasValue(2_000_000_000L);
          }
          assertThat(s.nextWakeNanos()).isEmpty();
        });
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -5})
  void aDeadlineInThePast_hasPassedAtOnce(long seconds) throws Exception {
    for (Place place : Place.values()) {
      in(
          place,
          () -> {
            try (FiberScope scope = FiberScope.open(Duration.ofSeconds(seconds))) {
              assertThat(scope.fork(waiting("no")).state()).isEqualTo(Future.State.CANCELLED);
              assertThatThrownBy(scope::join).isInstanceOf(TimeoutException.class);
              assertThat(isInterrupted()).isFalse();
            }
          });
    }
    Place.in(
        s,
        () -> {
          FiberScope scope = FiberScope.open(Duration.ofSeconds(seconds));
          assertThatThrownBy(() -> Scheduler.pause(1)).isInstanceOf(InterruptedException.class);
          assertThatThrownBy(scope::close).isInstanceOf(TimeoutException.class);
          try (FiberScope unnoticed = FiberScope.open(Duration.ofSeconds(seconds))) {
            assertThat(isInterrupted()).isTrue();
            assertThat(unnoticed.toString()).endsWith("(stopped, 0 children)");
          }
          assertThat(isInterrupted()).as("taken back").isFalse();
        });
    assertThat(log).isEmpty();
  }

  @Test
  void aDeadlineWithoutEnd_isNone() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = FiberScope.open(Duration.ofSeconds(Long.MAX_VALUE))) {
            assertThat(s.nextWakeNanos()).isEmpty();
            scope.join();
          }
        });
  }

  // ---- an owner that waits elsewhere

  @Test
  void aWaitElsewhere_isInterrupted_andTheBlockTellsOfTheDeadline() throws Exception {
    Place.in(
        s,
        () -> {
          Throwable t =
              catchThrowable(() -> {
                try (FiberScope scope = open("fetch", 2)) {
                  scope.fork(waiting("child"));
                  Scheduler.pause(1000);
                }
              });
          assertThat(t)
              .isInstanceOf(InterruptedException.class)
              .hasMessageStartingWith("scope fetch: its deadline")
              .hasMessageEndingWith("in pause");
          assertThat(t.getSuppressed()).singleElement().isInstanceOf(TimeoutException.class);
          assertThat(now()).isEqualTo(2);
          assertThat(isInterrupted()).isFalse();
        });
    assertThat(log).containsExactly("child cancelled");
  }

  @Test
  void within_throwsTheTimeout_whateverWaitItWas(Pipe pipe) throws Exception {
    List<Callable<Object>> waits =
        List.of(
            () -> {
              Scheduler.pause(1000);
              return "";
            },
            () -> Scheduler.ioWait(pipe.readFd(), Scheduler.READ, -1),
            () -> FdChannel.borrow(pipe.readFd()).read(ByteBuffer.allocate(1)),
            () -> {
              s.spawn(() -> Scheduler.pause(5)).join();
              return "";
            },
            () -> waiting("swallows").call() + swallowed(),
            () -> {
              try (FiberScope scope = FiberScope.open()) {
                scope.fork(waiting("child"));
                scope.join();
              }
              return "";
            });
    Place.in(
        s,
        () -> {
          for (Callable<Object> wait : waits) {
            assertThatThrownBy(() -> FiberScope.within(seconds(2), wait))
                .isInstanceOf(TimeoutException.class);
            assertThat(isInterrupted()).isFalse();
          }
          assertThatThrownBy(() ->
                  FiberScope.within(
                      seconds(2),
                      () -> {
                        try {
                          Scheduler.pause(1000);
                        } catch (InterruptedException e) {
                          log.add("swallowed");
                        }
                        return "";
                      }))
              .as("what swallows the interrupt is late all the same")
              .isInstanceOf(TimeoutException.class);
          assertThat(FiberScope.within(seconds(2), () -> "in time")).isEqualTo("in time");
          assertThatThrownBy(() ->
                  FiberScope.within(
                      seconds(2),
                      () -> {
                        throw new IOException("its own");
                      }))
              .hasMessage("its own");
        });
  }

  private static String swallowed() {
    return "";
  }

  @Test
  void anExpiry_reachesABlockingCallOfTheJdk() throws Exception {
    Scheduler real = Scheduler.create();
    try (real) {
      Place.in(
          real,
          () ->
              assertThatThrownBy(() ->
                      FiberScope.within(
                          Duration.ofMillis(10), () -> new LinkedBlockingQueue<String>().take()))
                  .isInstanceOf(TimeoutException.class)
                  .hasCauseInstanceOf(InterruptedException.class));
    }
  }

  @Test
  void anExpiry_ofAPlatformThread_endsItsDrivingCall() throws Exception {
    s.runUntilEmpty();
    Fiber other = s.spawn(() -> Scheduler.pause(5));
    try (FiberScope scope = open("fetch", 2)) {
      scope.fork(waiting("child"));
      s.run();
      assertThat(now()).isEqualTo(2);
      assertThat(isInterrupted()).isTrue();
      assertThatThrownBy(scope::join).isInstanceOf(TimeoutException.class);
      assertThat(isInterrupted()).isFalse();
    }
    other.join();
  }

  @Test
  void anExpiryThatNobodyNoticed_isTakenBack() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = open("fetch", 2)) {
            scope.fork(waiting("child"));
            s.spawn(() -> clock.advance(Duration.ofSeconds(3)));
            Scheduler.pause(0); // the wait is over before anybody looks at the deadline
            s.tick(0);
            assertThat(isInterrupted()).isTrue();
          }
          assertThat(isInterrupted()).isFalse();
          Scheduler.pause(1);
        });
  }

  @Test
  void anInterruptThatChannelsKeep_isTakenBack(Pipe pipe) throws Exception {
    Place.in(
        s,
        () -> {
          FdChannel channel = FdChannel.borrow(pipe.readFd());
          Throwable t =
              catchThrowable(() -> {
                try (FiberScope scope = open("fetch", 2)) {
                  channel.read(ByteBuffer.allocate(1));
                }
              });
          assertThat(t).isInstanceOf(InterruptedIOException.class);
          assertThat(t.getSuppressed()).singleElement().isInstanceOf(TimeoutException.class);
          assertThat(isInterrupted()).isFalse();
        });
  }

  // ---- with a cancel besides

  @Test
  void aCancelOfTheOwner_winsOverAnExpiry() throws Exception {
    for (double at : new double[] {2, 2.5}) { // in the same look, and while the owner cleans up
      Fiber owner =
          s.spawn(
              "owner",
              () -> {
                try (FiberScope scope = open("fetch", 2)) {
                  try {
                    Scheduler.pause(1000);
                  } finally {
                    busy(1);
                  }
                }
              });
      s.spawn(() -> {
        Scheduler.pause(at);
        owner.cancel();
      });
      s.run();
      assertThat(owner.failure()).get().isInstanceOf(InterruptedException.class);
      assertThat(owner.failure().orElseThrow().getSuppressed()).isEmpty();
    }
  }

  /** Lets time go by without a wait that could be interrupted. */
  private void busy(double seconds) throws Exception {
    FiberScope.shield(() -> Scheduler.pause(seconds));
  }

  @Test
  void aCancelThatComesAfterTheExpiryWasThrown_stays() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = open("fetch", 2)) {
            assertThatThrownBy(() -> Scheduler.pause(1000))
                .isInstanceOf(InterruptedException.class);
            Fiber.current().cancel();
          }
          assertThat(isInterrupted()).isTrue();
          assertThatThrownBy(() -> Scheduler.pause(1))
              .isInstanceOf(InterruptedException.class)
              .hasMessage("the fiber was cancelled in pause");
        });
  }

  @Test
  void aFailureBeforeTheDeadline_isWhatJoinThrows() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = open("fetch", 2)) {
            scope.fork(() -> {
              throwIo("first");
              return "";
            });
            scope.fork(() -> {
              busy(3); // holds the scope past its deadline
              return "";
            });
            assertThatThrownBy(scope::join).isInstanceOf(ExecutionException.class);
            assertThat(now()).isEqualTo(3);
            assertThat(isInterrupted()).isFalse();
          }
        });
  }

  // ---- one inside the other

  @Test
  void nested_theEarliestEndsBoth_andIsNamed() throws Exception {
    Place.in(
        s,
        () -> {
          Throwable t =
              catchThrowable(() -> {
                try (FiberScope outer = open("outer", 2)) {
                  outer.fork(waiting("outer child"));
                  try (FiberScope inner = open("inner", 5)) {
                    inner.fork(waiting("inner child"));
                    inner.join();
                  }
                }
              });
          assertThat(t)
              .isInstanceOf(TimeoutException.class)
              .hasMessage(
                  "scope outer: its deadline, PT2S after it was opened, has passed;"
                      + " cancelled: outer-1");
          assertThat(now()).isEqualTo(2);
          assertThat(isInterrupted()).isFalse();
        });
    assertThat(log).containsExactlyInAnyOrder("inner child cancelled", "outer child cancelled");
  }

  @Test
  void nested_theInnerEndsAlone() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope outer = open("outer", 5)) {
            Future<String> sibling =
                outer.fork(() -> {
                  Scheduler.pause(3);
                  return "sibling";
                });
            try (FiberScope inner = open("inner", 2)) {
              inner.fork(waiting("inner child"));
              assertThatThrownBy(inner::join).hasMessageStartingWith("scope inner: ");
            }
            outer.join();
            assertThat(sibling.resultNow()).isEqualTo("sibling");
          }
        });
  }

  @Test
  void nested_atTheSameTime_theOuterIsNamed_andBothHaveExpired() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope outer = open("outer", 2)) {
            try (FiberScope inner = open("inner", 2)) {
              inner.fork(waiting("inner child"));
              assertThatThrownBy(inner::join).hasMessageStartingWith("scope outer: ");
            }
            assertThatThrownBy(outer::join).hasMessageStartingWith("scope outer: ");
          }
          assertThat(isInterrupted()).isFalse();
        });
  }

  @Test
  void nested_whenTheInnerWasReported_theOuterStillInterrupts() throws Exception {
    Place.in(
        s,
        () -> {
          Throwable t =
              catchThrowable(() -> {
                try (FiberScope outer = open("outer", 2.5)) {
                  try (FiberScope inner = open("inner", 2)) {
                    inner.fork(() -> {
                      busy(3); // so that both have expired when join can return
                      return "";
                    });
                    assertThatThrownBy(inner::join).hasMessageStartingWith("scope inner: ");
                  }
                  Scheduler.pause(1000);
                }
              });
          assertThat(t)
              .isInstanceOf(InterruptedException.class)
              .hasMessageStartingWith("scope outer: ");
          assertThat(now()).isEqualTo(3);
        });
  }

  @Test
  void nested_openedWhenTheOuterHasExpired_isStopped() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope outer = open("outer", 2)) {
            assertThatThrownBy(() -> Scheduler.pause(1000))
                .isInstanceOf(InterruptedException.class);
            try (FiberScope inner = open("inner", 5)) {
              assertThat(inner.fork(waiting("no")).state()).isEqualTo(Future.State.CANCELLED);
              assertThatThrownBy(inner::join).hasMessageStartingWith("scope outer: ");
            }
            FiberScope.shield(() -> {
              try (FiberScope inner = open("inner", 5)) {
                Future<String> cleanUp = inner.fork(() -> "done");
                inner.join();
                assertThat(cleanUp.resultNow()).isEqualTo("done");
              }
            });
            assertThatThrownBy(outer::join).hasMessageStartingWith("scope outer: ");
          }
        });
    assertThat(log).isEmpty();
  }
}
