package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.Place;
import java.io.IOException;
import java.time.Duration;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Scopes without deadlines: what they wait for, what they throw, and who may use them. */
@FdTest
@SuppressWarnings("FutureReturnValueIgnored") // a failure comes out of join
class FiberScopeTest extends ScopeFixture {
  @ParameterizedTest
  @EnumSource(Place.class)
  void join_whenAllSucceed_returnsWithTheResultsThere(Place place) throws Exception {
    in(
        place,
        () -> {
          try (FiberScope scope = FiberScope.open()) {
            Future<String> a = scope.fork(after(2, "a"));
            Future<Integer> b = scope.fork(() -> 7);
            assertThat(a.state()).isEqualTo(Future.State.RUNNING);
            assertThatThrownBy(a::resultNow).isInstanceOf(IllegalStateException.class);
            scope.join();
            assertThat(a.resultNow()).isEqualTo("a");
            assertThat(b.get()).isEqualTo(7);
            assertThat(s.aliveCount()).isEqualTo(place == Place.FIBER ? 1 : 0);
            scope.join(); // again
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void join_whenOneFails_cancelsTheOthersAndThrows(Place place) throws Exception {
    in(
        place,
        () -> {
          try (FiberScope scope = FiberScope.open()) {
            Future<String> good = scope.fork(() -> "good");
            Future<String> waits = scope.fork(waiting("sibling"));
            Future<String> bad = scope.fork(failing(1, "bad"));
            Future<String> alsoBad =
                scope.fork(() -> {
                  try {
                    Scheduler.pause(1000);
                  } finally {
                    throwIo("worse");
                  }
                  return "";
                });
            assertThatThrownBy(scope::join)
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("scope of ")
                .hasMessageContaining("failed with java.io.IOException: bad")
                .satisfies(e -> assertThat(e.getCause()).hasMessage("bad"))
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1))
                .satisfies(e -> assertThat(e.getSuppressed()[0]).hasMessage("worse"));
            assertThat(good.state()).isEqualTo(Future.State.SUCCESS);
            assertThat(waits.state()).isEqualTo(Future.State.CANCELLED);
            assertThat(bad.exceptionNow()).hasMessage("bad");
            assertThat(alsoBad.exceptionNow()).hasMessage("worse");
            assertThat(log).containsExactly("sibling cancelled");
            assertThatThrownBy(scope::join).isInstanceOf(ExecutionException.class);

            Future<String> late = scope.fork(waiting("late"));
            assertThat(late.state()).isEqualTo(Future.State.CANCELLED);
            assertThatThrownBy(late::get).isInstanceOf(CancellationException.class);
          }
          assertThat(log).as("what is forked later never runs").hasSize(1);
        });
    assertThat(uncaught).isEmpty();
  }

  @Test
  void join_whenOneExceptionComesFromSeveral_suppressesItNot() throws Exception {
    IOException same = new IOException("same");
    Place.in(
        s,
        () -> {
          try (FiberScope scope = FiberScope.open()) {
            scope.fork(() -> {
              throw same;
            });
            scope.fork(() -> {
              throw same;
            });
            Throwable t = catchThrowable(scope::join);
            assertThat(t).hasCause(same);
            assertThat(t.getSuppressed()).isEmpty();
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void close_withChildrenAlive_cancelsAndWaits(Place place) throws Exception {
    in(
        place,
        () -> {
          FiberScope scope = FiberScope.open();
          Future<String> a = scope.fork(waiting("a"));
          Future<String> b =
              scope.fork(() -> {
                try {
                  return waiting("b").call();
                } finally {
                  FiberScope.shield(() -> Scheduler.pause(3));
                  log.add("b cleaned up");
                }
              });
          Future<String> c =
              scope.fork(() -> "result"); // cancelled before it began, but never waits
          scope.close();
          log.add("closed");
          scope.close();
          assertThat(a.state()).isEqualTo(Future.State.CANCELLED);
          assertThat(b.state()).isEqualTo(Future.State.CANCELLED);
          assertThat(c.resultNow()).isEqualTo("result");
          assertThatThrownBy(() -> scope.fork(() -> 1))
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("is closed");
          assertThatThrownBy(scope::join).isInstanceOf(IllegalStateException.class);
        });
    assertThat(log).containsExactly("a cancelled", "b cancelled", "b cleaned up", "closed");
  }

  @Test
  void close_withoutAJoin_handsFailuresToOnUncaught() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = FiberScope.builder().name("unheard").open()) {
            scope.fork(failing(1, "never asked for"));
            Scheduler.pause(2);
          }
        });
    assertThat(uncaught).containsExactly("unheard-1: never asked for");
  }

  @Test
  void close_afterAJoin_handsOnWhatFailedSince() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = FiberScope.builder().name("late").open()) {
            scope.fork(() -> "well");
            scope.join();
            scope.fork(failing(1, "since then"));
            Scheduler.pause(2);
          }
          try (FiberScope scope = any()) {
            scope.fork(failing(1, "thrown"));
            assertThatThrownBy(scope::join).hasMessageContaining("thrown");
            scope.fork(failing(1, "since that"));
            Scheduler.pause(2);
          }
        });
    assertThat(uncaught).hasSize(2).first().isEqualTo("late-2: since then");
    assertThat(uncaught.getLast()).endsWith(": since that");
  }

  // ---- the other policies

  @Test
  void anySuccessful_stopsAtTheFirstSuccess() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = any()) {
            scope.fork(failing(1, "no matter"));
            Future<String> slow = scope.fork(waiting("slow"));
            Future<String> first = scope.fork(after(2, "first"));
            scope.join();
            assertThat(scope.winner()).hasValueSatisfying(w -> assertThat(w).isSameAs(first));
            assertThat(slow.state()).isEqualTo(Future.State.CANCELLED);
            scope.join();
          }
        });
    assertThat(uncaught).isEmpty();
  }

  private static FiberScope any() {
    return FiberScope.builder().policy(FiberScope.Policy.ANY_SUCCESSFUL).open();
  }

  @Test
  void anySuccessful_withoutASuccess_throwsTheFirstFailure() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = any()) {
            scope.fork(failing(2, "second"));
            scope.fork(failing(1, "first"));
            assertThatThrownBy(scope::join)
                .isInstanceOf(ExecutionException.class)
                .satisfies(e -> assertThat(e.getCause()).hasMessage("first"))
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
            assertThat(scope.winner()).isEmpty();
          }
          try (FiberScope scope = any()) {
            assertThatThrownBy(scope::join).hasCauseInstanceOf(NoSuchElementException.class);
          }
        });
  }

  @Test
  void awaitAll_letsEachEndByItself() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = FiberScope.builder().policy(FiberScope.Policy.AWAIT_ALL).open()) {
            Future<String> bad = scope.fork(failing(1, "bad"));
            Future<String> good = scope.fork(after(2, "good"));
            scope.join();
            assertThat(bad.state()).isEqualTo(Future.State.FAILED);
            assertThat(good.resultNow()).isEqualTo("good");
          }
        });
    assertThat(uncaught).isEmpty();
  }

  // ---- cancels

  @Test
  void join_ofAnOwnerThatIsCancelled_throwsAndLeavesTheChildrenToClose() throws Exception {
    Fiber owner =
        s.spawn(
            "owner",
            () -> {
              try (FiberScope scope = FiberScope.open()) {
                Future<String> child = scope.fork(waiting("child"));
                assertThatThrownBy(scope::join).isInstanceOf(InterruptedException.class);
                assertThat(child.state()).isEqualTo(Future.State.RUNNING);
                log.add("join is over");
              }
              log.add("closed");
            });
    s.spawn(() -> {
      Scheduler.pause(1);
      owner.cancel();
      owner.cancel(); // twice is once
    });
    s.run();
    Place.rethrow(owner);
    assertThat(log).containsExactly("join is over", "child cancelled", "closed");
  }

  @Test
  void join_ofAPlatformThreadThatIsInterrupted_throws() throws Exception {
    s.runUntilEmpty();
    Thread me = Thread.currentThread();
    try (FiberScope scope = FiberScope.open()) {
      scope.fork(waiting("child"));
      scope.fork(() -> {
        Scheduler.pause(1);
        me.interrupt();
        return "";
      });
      assertThatThrownBy(scope::join).isInstanceOf(InterruptedException.class);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }
    assertThat(log).containsExactly("child cancelled");
  }

  @Test
  void close_keepsACancelThatComesMeanwhile() throws Exception {
    Fiber owner =
        s.spawn(
            "owner",
            () -> {
              try (FiberScope scope = FiberScope.open()) {
                scope.fork(() -> {
                  FiberScope.shield(() -> Scheduler.pause(5));
                  return "";
                });
              }
              log.add("closed");
              Scheduler.pause(1);
            });
    s.spawn(() -> {
      Scheduler.pause(1);
      owner.cancel();
    });
    s.run();
    assertThat(owner.failure()).get().isInstanceOf(InterruptedException.class);
    assertThat(log).containsExactly("closed");
  }

  @Test
  void aChildThatIsCancelledByOthers_hasFailed() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = FiberScope.builder().name("jobs").open()) {
            scope.fork(waiting("a"));
            Thread child = s.fibers().getLast().thread().orElseThrow();
            scope.fork(() -> {
              Scheduler.pause(1);
              child.interrupt();
              return "";
            });
            assertThatThrownBy(scope::join)
                .isInstanceOf(ExecutionException.class)
                .hasMessageStartingWith("scope jobs: fiber jobs-1 failed with")
                .hasCauseInstanceOf(InterruptedException.class);
          }
        });
  }

  @Test
  void cancelOfAFuture_endsThatChildAlone() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = FiberScope.open()) {
            Future<String> other = scope.fork(after(2, "other"));
            Future<String> running = scope.fork(waiting("running"));
            Scheduler.pause(1);
            Future<String> unstarted = scope.fork(waiting("unstarted"));
            assertThat(running.cancel(true)).isTrue();
            assertThat(unstarted.cancel(true)).isTrue();
            assertThat(running.cancel(true)).isFalse();
            scope.join();
            assertThat(other.resultNow()).isEqualTo("other");
            assertThat(running.state()).isEqualTo(Future.State.CANCELLED);
          }
        });
    assertThat(log).containsExactly("running cancelled");
  }

  @Test
  void get_ofAnUnfinishedChild_suspendsAFiber() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = FiberScope.open()) {
            Future<String> a = scope.fork(after(1, "a"));
            Future<String> b = scope.fork(() -> a.get() + "b");
            assertThat(b.get()).isEqualTo("ab");
          }
        });
  }

  @Test
  void get_ofAnUnfinishedChild_onTheDriver_isAnExceptionAndNoHang() throws Exception {
    try (FiberScope scope = inDriver()) {
      Future<String> a = scope.fork(after(1, "a"));
      assertThatThrownBy(a::get)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("join()");
      assertThatThrownBy(() -> a.get(1, TimeUnit.DAYS)).isInstanceOf(IllegalStateException.class);
      scope.join();
      assertThat(a.get()).isEqualTo("a");
      assertThat(a.get(1, TimeUnit.DAYS)).isEqualTo("a");
    }
  }

  private FiberScope inDriver() {
    s.runUntilEmpty();
    return FiberScope.open();
  }

  @Test
  void get_byAnotherThread_waits() throws Exception {
    Elsewhere<String> other;
    try (FiberScope scope = inDriver()) {
      Future<String> a = scope.fork(after(1, "a"));
      other = Elsewhere.start(a::get);
      scope.join();
    }
    assertThat(other.result()).isEqualTo("a");
  }

  @Test
  void aScope_ofAThreadThatNeverDrove_drivesItsOwnScheduler() throws Exception {
    Elsewhere.run(() -> {
      try (Scheduler own = Scheduler.current();
          FiberScope scope = FiberScope.open()) {
        Future<Scheduler> child = scope.fork(Scheduler::current);
        assertThatThrownBy(child::get).isInstanceOf(IllegalStateException.class);
        scope.join();
        assertThat(child.resultNow()).isSameAs(own);
      }
    });
  }

  // ---- misuse

  @Test
  void aScope_belongsToItsOwner() throws Exception {
    Place.in(
        s,
        () -> {
          try (FiberScope scope = FiberScope.open()) {
            Future<String> child =
                scope.fork(() -> {
                  assertThatThrownBy(scope::close).isInstanceOf(WrongThreadException.class);
                  assertThatThrownBy(scope::join)
                      .isInstanceOf(WrongThreadException.class)
                      .hasMessageContaining(
                          "cannot join scope of fiber test, which fiber test opened");
                  return scope.fork(() -> "grandchild").get(); // may bring in more
                });
            Fiber stranger = s.spawn(() -> scope.fork(() -> 1));
            Elsewhere.run(
                () -> assertThatThrownBy(scope::close).isInstanceOf(WrongThreadException.class));
            scope.join();
            assertThat(child.resultNow()).isEqualTo("grandchild");
            stranger.join();
            assertThat(stranger.failure()).get().isInstanceOf(WrongThreadException.class);
          }
        });
    assertThat(uncaught).hasSize(1);
  }

  @Test
  void close_beforeAScopeInside_closesThatFirstAndSaysSo() throws Exception {
    Place.in(
        s,
        () -> {
          FiberScope outer = FiberScope.builder().name("outer").open();
          FiberScope inner = FiberScope.builder().name("inner").open();
          outer.fork(waiting("outer child"));
          inner.fork(waiting("inner child"));
          Scheduler.pause(1);
          assertThatThrownBy(outer::close)
              .isInstanceOf(IllegalStateException.class)
              .hasMessage("scope inner was still open when scope outer was closed");
          inner.close();
          assertThatThrownBy(() -> inner.fork(() -> 1)).isInstanceOf(IllegalStateException.class);
        });
    assertThat(log).containsExactly("inner child cancelled", "outer child cancelled");
  }

  @Test
  void aScope_whoseOwnerEnds_isStoppedAndReported() {
    try (Logged logged = new Logged()) {
      s.spawn(
          "forgetful",
          () -> {
            FiberScope scope =
                FiberScope.builder().name("open").deadline(Duration.ofDays(1)).open();
            scope.fork(waiting("child"));
            scope.fork(() -> {
              Scheduler.pause(1000);
              throw new IOException("not reached");
            });
            scope.fork(() -> {
              try {
                Scheduler.pause(1000);
              } finally {
                throwIo("after all");
              }
              return "";
            });
            Scheduler.pause(1);
          });
      s.run();
      assertThat(logged.at(Level.WARNING))
          .containsExactly(
              "fiber forgetful ended without closing scope open; what it forked is cancelled");
    }
    assertThat(log).containsExactly("child cancelled");
    assertThat(uncaught).containsExactly("open-3: after all");
  }

  @Test
  void close_withAChildThatSwallowsTheCancel_waitsAndReportsIt() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    try (Logged logged = new Logged()) {
      s.spawn(() -> {
        Scheduler.pause(60);
        over.countDown();
      });
      Place.in(
          s,
          () -> {
            try (FiberScope scope = FiberScope.builder().name("slow").open()) {
              scope.fork(() -> {
                while (over.getCount() > 0) {
                  try {
                    Scheduler.pause(60);
                  } catch (InterruptedException e) {
                    log.add("swallowed");
                  }
                }
                return "";
              });
            }
            assertThat(over.getCount()).isZero();
          });
      assertThat(logged.at(Level.WARNING))
          .singleElement()
          .asString()
          .startsWith("scope slow waits for fiber slow-1, which was cancelled and has not ended");
    }
    assertThat(log).containsExactly("swallowed");
  }

  @Test
  @Tag("slow") // the scheduler gives up after 5 s
  void closeOfTheScheduler_withAChildThatSwallows_endsTheOwner() throws Exception {
    LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
    Scheduler real = Scheduler.create();
    try (Logged logged = new Logged()) {
      Fiber owner =
          real.spawn(
              "owner",
              () -> {
                try (FiberScope scope = FiberScope.open()) {
                  Future<String> child =
                      scope.fork(() -> {
                        while (true) {
                          try {
                            return queue.take();
                          } catch (InterruptedException e) {
                            log.add("swallowed");
                          }
                        }
                      });
                  scope.join();
                  assertThat(child).isNotNull();
                }
              });
      real.runUntilEmpty();
      real.close();
      assertThat(owner.isAlive()).isFalse();
      assertThat(logged.at(Level.WARNING)).isNotEmpty();
    }
    assertThat(real.loop().owners).isEmpty();
  }

  @Test
  void closeOfTheScheduler_byAnotherThread_endsTheJoin() throws Exception {
    Scheduler real = Scheduler.create();
    real.runUntilEmpty();
    Elsewhere<Void> closer;
    try (FiberScope scope = FiberScope.open()) {
      CountDownLatch waits = new CountDownLatch(1);
      scope.fork(() -> {
        waits.countDown();
        return waiting("child").call();
      });
      closer =
          Elsewhere.begin(() -> {
            waits.await();
            real.close();
          });
      assertThatThrownBy(scope::join)
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(InterruptedException.class);
    }
    closer.result();
    assertThat(log).containsExactly("child cancelled");
  }
}
