package dev.fdfiber.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.TimeKernel;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What metrics count. */
@FdTest
class MetricsTest {
  private final ManualClock clock = new ManualClock();

  @Test
  void turnsAndWaitsForThem_areTimedOnTheSchedulersClock() {
    try (Scheduler s = Scheduler.builder().clock(clock).build();
        Metrics metrics = Metrics.of(s)) {
      for (int i = 0; i < 2; i++) {
        s.spawn(() -> {
          clock.advanceNanos(100);
          Scheduler.pause(0);
          clock.advanceNanos(300);
        });
      }
      s.run();
      MetricsSnapshot seen = metrics.snapshot();
      assertThat(seen.resumes()).isEqualTo(4);
      assertThat(seen.spawned()).isEqualTo(2);
      assertThat(seen.ended()).isEqualTo(2);
      assertThat(seen.wakeUps()).as("a yield is none").isZero();
      assertThat(seen.busyNanos()).isEqualTo(800);
      assertThat(seen.longestTurnNanos()).isEqualTo(300);
      assertThat(seen.alive()).isZero();
      assertThat(seen.peakAlive()).isEqualTo(2);
      // The second waits for the first: 0 and 100, then 100 and 300.
      assertThat(seen.readyToResume().count()).isEqualTo(4);
      assertThat(seen.readyToResume().totalNanos()).isEqualTo(0 + 100 + 100 + 300);
    }
  }

  @ParameterizedTest
  @EnumSource(PollerKind.class)
  void wakeUpsAndLooks_areCounted(PollerKind poller) {
    TimeKernel kernel = new TimeKernel(clock);
    try (Scheduler s = Scheduler.builder().poller(poller).clock(clock).kernel(kernel).build();
        Metrics metrics = Metrics.of(s);
        Fds.Pair pipe = Fds.pipe()) {
      s.spawn(() -> {
        for (int i = 0; i < 10; i++) {
          Scheduler.ioWait(pipe.b(), Scheduler.WRITE, -1);
        }
        Scheduler.pause(0.001);
      });
      s.run();
      MetricsSnapshot seen = metrics.snapshot();
      assertThat(seen.wakeUps()).isEqualTo(11);
      assertThat(seen.looks()).isGreaterThanOrEqualTo(11);
      assertThat(seen.pollNanos()).as("the pause was spent there").isEqualTo(1_000_000);
      assertThat(seen.poller()).isEqualTo(s.info().poller());
    }
  }

  @Test
  void snapshots_areTakenByAnyThreadWhileItRuns_andNeverGoBack() throws Exception {
    try (Scheduler s = Scheduler.create();
        Metrics metrics = Metrics.of(s)) {
      AtomicBoolean enough = new AtomicBoolean();
      s.spawn(() -> {
        while (!enough.get()) {
          Scheduler.pause(0);
        }
      });
      Thread driver = Thread.ofPlatform().start(s::run);
      MetricsSnapshot before = metrics.snapshot();
      while (before.resumes() < 100_000) {
        MetricsSnapshot after = metrics.snapshot();
        assertThat(after.resumes()).isGreaterThanOrEqualTo(before.resumes());
        assertThat(after.busyNanos()).isGreaterThanOrEqualTo(before.busyNanos());
        assertThat(after.readyToResume().since(before.readyToResume()).count()).isNotNegative();
        before = after;
      }
      enough.set(true);
      driver.join();
      assertThat(metrics.snapshot().ended()).isOne();
    }
  }

  @Test
  void close_endsTheCounting_andKeepsWhatWasCounted() {
    try (Scheduler s = Scheduler.create()) {
      Metrics metrics = Metrics.of(s);
      s.spawn(() -> {});
      s.run();
      metrics.close();
      s.spawn(() -> {});
      s.run();
      assertThat(metrics.snapshot().resumes()).isOne();
      assertThat(metrics.scheduler()).isSameAs(s);
    }
  }

  @Test
  void of_aClosedScheduler_isRefused() {
    Scheduler s = Scheduler.create();
    s.close();
    assertThatThrownBy(() -> Metrics.of(s)).isInstanceOf(IllegalStateException.class);
  }
}
