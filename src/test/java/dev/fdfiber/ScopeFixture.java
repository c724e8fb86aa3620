package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.TimeKernel;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;

/**
 * What the tests of scopes share: a scheduler without steering, on a clock that jumps, which at the
 * end must know of no owner, no timer and no fiber, and children that do this and that.
 */
abstract class ScopeFixture {
  final ManualClock clock = new ManualClock();
  final List<String> log = new ArrayList<>();
  final List<String> uncaught = new ArrayList<>();
  final Scheduler s =
      Scheduler.builder()
          .clock(clock)
          .kernel(new TimeKernel(clock))
          .onUncaught((fiber, t) -> uncaught.add(fiber.name() + ": " + t.getMessage()))
          .build();
  private final long start = clock.nanoTime();

  @AfterEach
  void close() {
    assertThat(s.aliveCount()).isZero();
    assertThat(s.loop().owners).isEmpty();
    assertThat(s.nextWakeNanos()).isEmpty();
    s.close();
  }

  /** How many seconds have passed since the test began. */
  final double now() {
    return (clock.nanoTime() - start) / 1e9;
  }

  /** Runs the body in a fiber, or in this thread as the one that drives. */
  final void in(Place place, FiberBody body) throws Exception {
    if (place == Place.FIBER) {
      Place.in(s, body);
    } else {
      s.runUntilEmpty(); // now Scheduler.current() is this one
      body.run();
    }
  }

  static Duration seconds(double seconds) {
    return Duration.ofNanos((long) (seconds * 1e9));
  }

  /** A scope with a deadline. */
  static FiberScope open(String name, double seconds) {
    return FiberScope.builder().name(name).deadline(seconds(seconds)).open();
  }

  static boolean isInterrupted() {
    return Thread.currentThread().isInterrupted();
  }

  static Callable<String> after(double seconds, String result) {
    return () -> {
      Scheduler.pause(seconds);
      return result;
    };
  }

  static Callable<String> failing(double seconds, String message) {
    return () -> {
      Scheduler.pause(seconds);
      throw new IOException(message);
    };
  }

  static void throwIo(String message) throws IOException {
    throw new IOException(message);
  }

  /** Notes how it is cancelled. */
  final Callable<String> waiting(String name) {
    return () -> {
      try {
        Scheduler.pause(1000);
        return name;
      } catch (InterruptedException e) {
        log.add(name + " cancelled");
        throw e;
      }
    };
  }
}
