package dev.fdfiber.inspect;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * {@link Metrics} for a Micrometer registry: the only class that needs {@code micrometer-core}. All
 * meters have a tag {@code scheduler} with its name, are read when the registry asks, and keep the
 * metrics alive as long as the registry has them.
 */
public final class MicrometerMetrics implements MeterBinder {
  private static final double[] PARTS = {0.5, 0.9, 0.99, 0.999};

  private final Metrics metrics;
  private final Tags tags;

  /** Makes a binder for what is counted of a scheduler. */
  public MicrometerMetrics(Metrics metrics) {
    this.metrics = metrics;
    this.tags = Tags.of("scheduler", metrics.scheduler().name());
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    counter(registry, "fdfiber.resumes", "Turns that fibers got", MetricsSnapshot::resumes);
    counter(registry, "fdfiber.wakeups", "Parked fibers that woke", MetricsSnapshot::wakeUps);
    counter(registry, "fdfiber.fibers.spawned", "Fibers started", MetricsSnapshot::spawned);
    counter(registry, "fdfiber.fibers.ended", "Fibers ended", MetricsSnapshot::ended);
    gauge(registry, "fdfiber.fibers.alive", "Fibers alive", MetricsSnapshot::alive);
    gauge(registry, "fdfiber.fibers.peak", "Most fibers alive at once", MetricsSnapshot::peakAlive);
    timer(
        registry,
        "fdfiber.poll",
        "Looks for readiness, blocked or not",
        MetricsSnapshot::looks,
        MetricsSnapshot::pollNanos);
    timer(
        registry,
        "fdfiber.turn",
        "Turns of fibers, until they park",
        MetricsSnapshot::resumes,
        MetricsSnapshot::busyNanos);
    timer(
        registry,
        "fdfiber.ready",
        "Fibers that can go on, until their turn",
        s -> s.readyToResume().count(),
        s -> s.readyToResume().totalNanos());
    time(
        registry,
        "fdfiber.turn.longest",
        "The longest turn",
        tags,
        MetricsSnapshot::longestTurnNanos);
    for (double part : PARTS) {
      time(
          registry,
          "fdfiber.ready.percentile",
          "What so many of the waits for a turn do not exceed",
          tags.and("phi", Double.toString(part)),
          s -> s.readyToResume().percentileNanos(100 * part));
    }
  }

  private void counter(
      MeterRegistry registry,
      String name,
      String description,
      ToDoubleFunction<MetricsSnapshot> value) {
    FunctionCounter.builder(name, metrics, m -> value.applyAsDouble(m.snapshot()))
        .description(description)
        .tags(tags)
        .register(registry);
  }

  private void gauge(
      MeterRegistry registry,
      String name,
      String description,
      ToDoubleFunction<MetricsSnapshot> value) {
    Gauge.builder(name, metrics, m -> value.applyAsDouble(m.snapshot()))
        .description(description)
        .tags(tags)
        .strongReference(true)
        .register(registry);
  }

  private void timer(
      MeterRegistry registry,
      String name,
      String description,
      ToDoubleFunction<MetricsSnapshot> count,
      ToDoubleFunction<MetricsSnapshot> nanos) {
    FunctionTimer.builder(
            name,
            metrics,
            m -> (long) count.applyAsDouble(m.snapshot()),
            m -> nanos.applyAsDouble(m.snapshot()),
            TimeUnit.NANOSECONDS)
        .description(description)
        .tags(tags)
        .register(registry);
  }

  private void time(
      MeterRegistry registry,
      String name,
      String description,
      Tags tags,
      ToDoubleFunction<MetricsSnapshot> nanos) {
    TimeGauge.builder(name, metrics, TimeUnit.NANOSECONDS, m -> nanos.applyAsDouble(m.snapshot()))
        .description(description)
        .tags(tags)
        .strongReference(true)
        .register(registry);
  }
}
