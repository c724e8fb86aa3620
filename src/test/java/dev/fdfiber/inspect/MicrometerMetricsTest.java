package dev.fdfiber.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.ManualClock;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a Micrometer registry gets to see. */
@FdTest
class MicrometerMetricsTest {
  private final ManualClock clock = new ManualClock();

  private void run(Scheduler s) {
    for (int i = 0; i < 3; i++) {
      s.spawn(() -> {
        clock.advanceNanos(1_000_000);
        Scheduler.pause(0);
        clock.advanceNanos(1_000_000);
      });
    }
    s.run();
  }

  @Test
  void meters_tellWhatWasCounted() {
    try (Scheduler s = Scheduler.builder().name("s").clock(clock).build();
        Metrics metrics = Metrics.of(s)) {
      SimpleMeterRegistry registry = new SimpleMeterRegistry();
      new MicrometerMetrics(metrics).bindTo(registry);
      run(s);
      assertThat(registry.get("fdfiber.resumes").tag("scheduler", "s").functionCounter().count())
          .isEqualTo(6);
      assertThat(registry.get("fdfiber.fibers.ended").functionCounter().count()).isEqualTo(3);
      assertThat(registry.get("fdfiber.fibers.peak").gauge().value()).isEqualTo(3);
      assertThat(registry.get("fdfiber.fibers.alive").gauge().value()).isZero();
      assertThat(registry.get("fdfiber.turn").functionTimer().totalTime(TimeUnit.MILLISECONDS))
          .isEqualTo(6);
      assertThat(registry.get("fdfiber.turn.longest").timeGauge().value(TimeUnit.MILLISECONDS))
          .isEqualTo(1);
      assertThat(
              registry
                  .get("fdfiber.ready.percentile")
                  .tag("phi", "0.99")
                  .timeGauge()
                  .value(TimeUnit.MICROSECONDS))
          .isBetween(2_000.0, 2_500.0);
      registry.close();
    }
  }

  @Test
  void prometheus_getsNamesAndUnitsAsItWantsThem() {
    try (Scheduler s = Scheduler.builder().name("s").clock(clock).build();
        Metrics metrics = Metrics.of(s)) {
      PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
      new MicrometerMetrics(metrics).bindTo(registry);
      run(s);
      List<String> lines = registry.scrape().lines().toList();
      assertThat(lines)
          .contains(
              "fdfiber_resumes_total{scheduler=\"s\"} 6.0",
              "fdfiber_wakeups_total{scheduler=\"s\"} 0.0",
              "fdfiber_fibers_spawned_total{scheduler=\"s\"} 3.0",
              "fdfiber_fibers_peak{scheduler=\"s\"} 3.0",
              "# TYPE fdfiber_turn_seconds summary",
              "fdfiber_turn_seconds_count{scheduler=\"s\"} 6",
              "fdfiber_turn_seconds_sum{scheduler=\"s\"} 0.006",
              "fdfiber_turn_longest_seconds{scheduler=\"s\"} 0.001");
      assertThat(lines)
          .anyMatch(l ->
              l.startsWith("fdfiber_ready_percentile_seconds{phi=\"0.5\",scheduler=\"s\"} 0.00"));
      registry.close();
    }
  }
}
