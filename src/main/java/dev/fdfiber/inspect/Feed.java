package dev.fdfiber.inspect;

import dev.fdfiber.Fiber;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What one open page is told: at first everything, then what has changed, as server-sent events. No
 * message has more than {@value #MOST} fibers; the rest follows soon.
 */
final class Feed implements LivePage.Stream {
  private static final int MOST = 2_000;

  /** Times that differ by less are the same: a snapshot of many fibers takes a moment. */
  private static final long SAME_MILLIS = 60;

  /** As the page numbers them. */
  private static final List<Fiber.State> STATES =
      List.of(
          Fiber.State.READY,
          Fiber.State.RUNNING,
          Fiber.State.PAUSED,
          Fiber.State.WAITING_IO,
          Fiber.State.BLOCKED);

  private static final Duration SOON = Duration.ofMillis(40);

  private final Sampler sampler;
  private final Map<String, Sampler.Row> told = new HashMap<>();
  private long totalledMillis = -1; // the sample of which the totals were told
  private boolean isBehind;
  private boolean hasBegun;

  Feed(Sampler sampler) {
    this.sampler = sampler;
  }

  @Override
  public Duration pause() {
    return isBehind ? SOON : Duration.ofMillis(Sampler.PERIOD_MILLIS);
  }

  @Override
  public String next() {
    if (!hasBegun) {
      hasBegun = true;
      isBehind = true;
      return event(hello());
    }
    Sampler.Sample now = sampler.sample();
    JsonWriter json = new JsonWriter().open('{');
    json.name("t").value(now.atMillis());
    rows(json.name("rows"), now.rows());
    gone(json.name("gone"), now.rows());
    if (now.atMillis() != totalledMillis) {
      totalledMillis = now.atMillis();
      totals(json.name("schedulers"), now.totals());
    }
    return event(json.close('}'));
  }

  private static String event(JsonWriter json) {
    return "data: " + json + "\n\n";
  }

  private JsonWriter hello() {
    JsonWriter json = new JsonWriter().open('{').name("hello").open('{');
    json.name("server").value(sampler.id()).name("period").value(Sampler.PERIOD_MILLIS);
    return json.close('}').close('}');
  }

  private void rows(JsonWriter json, List<Sampler.Row> rows) {
    json.open('[');
    int count = 0;
    isBehind = false;
    for (Sampler.Row row : rows) {
      Sampler.Row before = told.get(row.key());
      if (before != null && isSame(before, row)) {
        continue;
      }
      if (count == MOST) {
        isBehind = true;
        break;
      }
      count++;
      told.put(row.key(), row);
      row(json, row);
    }
    json.close(']');
  }

  private static boolean isSame(Sampler.Row a, Sampler.Row b) {
    return a.info().state() == b.info().state()
        && Math.abs(a.sinceMillis() - b.sinceMillis()) < SAME_MILLIS
        && Math.abs(a.limitMillis() - b.limitMillis()) < SAME_MILLIS
        && a.info().fds().equals(b.info().fds())
        && a.info().joins().equals(b.info().joins());
  }

  private void row(JsonWriter json, Sampler.Row row) {
    json.open('[').value(row.key()).value(row.scheduler()).value(row.info().id());
    json.value(row.info().name()).value(STATES.indexOf(row.info().state()));
    json.value(sampler.wait(row.info()));
    orNone(json, row.limitMillis());
    json.value(row.sinceMillis());
    OptionalLong parent = row.info().parent();
    orNone(json, parent.isPresent() ? parent.getAsLong() : -1);
    json.close(']');
  }

  private static void orNone(JsonWriter json, long value) {
    if (value < 0) {
      json.none();
    } else {
      json.value(value);
    }
  }

  private void gone(JsonWriter json, List<Sampler.Row> rows) {
    json.open('[');
    if (!isBehind) {
      Set<String> there = new HashSet<>();
      rows.forEach(row -> there.add(row.key()));
      told.keySet()
          .removeIf(key -> {
            boolean gone = !there.contains(key);
            if (gone) {
              json.value(key);
            }
            return gone;
          });
    }
    json.close(']');
  }

  private static void totals(JsonWriter json, List<Sampler.Totals> all) {
    json.open('[');
    for (Sampler.Totals totals : all) {
      json.open('{').name("name").value(totals.info().name());
      json.name("poller").value(totals.info().poller().toString());
      json.name("counts").open('[');
      STATES.forEach(state -> json.value(totals.states().getOrDefault(state, 0)));
      json.close(']').name("queue").value(totals.info().ready());
      json.name("resumes").value(totals.info().resumes());
      json.name("busy").value(totals.cpuNanos()).name("held");
      if (totals.held().isEmpty()) {
        json.none();
      } else {
        json.open('{').name("name").value(totals.held().get().fiber());
        json.name("millis").value(totals.held().get().millis()).close('}');
      }
      json.close('}');
    }
    json.close(']');
  }
}
