package dev.fdfiber.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The file of a trace, read by a strict parser and checked against the trace-event format. */
@FdTest
class ScheduleTraceTest {
  private static final JsonMapper STRICT =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private final ManualClock clock = new ManualClock();

  private static JsonNode json(ScheduleTrace trace) throws IOException {
    StringWriter text = new StringWriter();
    trace.writeTo(text);
    JsonNode json = STRICT.readTree(text.toString());
    requireFormat(json);
    return json;
  }

  private static Stream<JsonNode> events(JsonNode json) {
    return StreamSupport.stream(json.get("traceEvents").spliterator(), false);
  }

  /** What the format asks of every event, and of arrows. */
  private static void requireFormat(JsonNode json) {
    assertThat(json.get("displayTimeUnit").textValue()).isEqualTo("ns");
    assertThat(json.get("traceEvents").isArray()).isTrue();
    Map<Long, JsonNode> begun = new HashMap<>();
    Set<Long> ended = new HashSet<>();
    Set<Long> named = new HashSet<>();
    Set<Long> open = new HashSet<>();
    BigDecimal last = BigDecimal.ZERO;
    for (JsonNode event : json.get("traceEvents")) {
      String phase = event.get("ph").textValue();
      assertThat(phase).isIn("M", "B", "E", "i", "s", "f");
      assertThat(event.get("name").textValue()).isNotEmpty();
      assertThat(event.get("pid").isIntegralNumber()).isTrue();
      assertThat(event.get("tid").isIntegralNumber()).isTrue();
      long tid = event.get("tid").longValue();
      if (phase.equals("M")) {
        assertThat(event.get("name").textValue()).isIn("process_name", "thread_name");
        assertThat(event.get("args").get("name").isTextual()).isTrue();
        named.add(tid);
        continue;
      }
      assertThat(named).as("row %s has a name", tid).contains(tid);
      BigDecimal ts = event.get("ts").decimalValue();
      assertThat(ts).isGreaterThanOrEqualTo(last);
      last = ts;
      switch (phase) {
        case "B" -> assertThat(open.add(tid)).as("slices of a row do not nest").isTrue();
        case "E" -> assertThat(open.remove(tid)).as("a slice of row %s ends", tid).isTrue();
        case "i" -> assertThat(event.get("s").textValue()).isIn("t", "p", "g");
        case "s" -> {
          assertThat(open).as("an arrow leaves a slice").contains(tid);
          assertThat(begun.put(event.get("id").longValue(), event)).isNull();
        }
        case "f" -> {
          assertThat(open).as("an arrow leads to a slice").contains(tid);
          assertThat(event.get("bp").textValue()).isEqualTo("e");
          long id = event.get("id").longValue();
          assertThat(begun).containsKey(id);
          assertThat(ended.add(id)).isTrue();
        }
        default -> throw new AssertionError(phase);
      }
    }
    assertThat(ended).isEqualTo(begun.keySet());
    assertThat(open).isEmpty();
  }

  /** All slices of a row, in their order. */
  private static List<String> slices(JsonNode json, String name) {
    long tid =
        events(json)
            .filter(e -> e.get("ph").textValue().equals("M"))
            .filter(e -> e.get("args").get("name").textValue().equals(name))
            .filter(e -> e.get("name").textValue().equals("thread_name"))
            .findFirst()
            .orElseThrow()
            .get("tid")
            .longValue();
    List<JsonNode> row =
        events(json)
            .filter(e -> e.get("tid").longValue() == tid)
            .filter(e -> Set.of("B", "E").contains(e.get("ph").textValue()))
            .toList();
    List<String> slices = new ArrayList<>();
    for (int i = 0; i < row.size(); i += 2) {
      JsonNode slice = row.get(i);
      String time = slice.get("ts") + " to " + row.get(i + 1).get("ts");
      JsonNode arguments = slice.path("args");
      String more = arguments.isEmpty() ? "" : " " + arguments;
      slices.add(slice.get("name").textValue() + " " + time + more);
    }
    return slices;
  }

  @Test
  void everyStateOfAFiber_isASlice_fromWhenToWhen() throws Exception {
    try (Scheduler s = Scheduler.builder().clock(clock).build();
        Fds.Pair pipe = Fds.pipe();
        ScheduleTrace trace = ScheduleTrace.of(s)) {
      s.spawn(
          "f",
          () -> {
            clock.advanceNanos(1_500);
            Scheduler.pause(0);
            clock.advanceNanos(2_000);
            Scheduler.ioWait(pipe.a(), Scheduler.READ, -1);
            clock.advanceNanos(3_000);
            Scheduler.pause(1);
          });
      s.spawn("g", () -> clock.advanceNanos(10));
      s.runUntilEmpty();
      clock.advanceNanos(5_000);
      Fds.write(pipe.b(), "x");
      s.runUntilEmpty();
      clock.advanceNanos(1_000_000_000);
      s.run();
      assertThat(slices(json(trace), "f"))
          .containsExactly(
              "run 0 to 1.5",
              "ready 1.5 to 1.51",
              "run 1.51 to 3.51",
              "wait-io 3.51 to 8.51 {\"fd\":" + pipe.a() + ",\"mode\":\"READ\"}",
              "run 8.51 to 11.51",
              "pause 11.51 to 1000011.51",
              "run 1000011.51 to 1000011.51");
    }
  }

  @ParameterizedTest
  @EnumSource(PollerKind.class)
  void wakeUps_areArrows_fromWhoWokeToTheTurn(PollerKind poller) throws Exception {
    try (Scheduler s = Scheduler.builder().poller(poller).build();
        Fds.Pair pipe = Fds.pipe();
        ScheduleTrace trace = ScheduleTrace.of(s)) {
      s.spawn(
          "parent",
          () -> {
            s.spawn("child", () -> Scheduler.ioWait(pipe.b(), Scheduler.WRITE, -1)).join();
          });
      s.run();
      JsonNode json = json(trace);
      Map<Long, Long> from = new HashMap<>();
      events(json)
          .filter(e -> e.get("ph").textValue().equals("s"))
          .forEach(e -> from.put(e.get("id").longValue(), e.get("tid").longValue()));
      List<String> arrows =
          events(json)
              .filter(e -> e.get("ph").textValue().equals("f"))
              .map(e -> from.get(e.get("id").longValue()) + " -> " + e.get("tid"))
              .toList();
      assertThat(arrows).containsExactly("1 -> 2", "0 -> 2", "2 -> 1");
      assertThat(slices(json, "driver")).anyMatch(look -> look.contains("\"woken\":1"));
    }
  }

  @Test
  void names_areEscaped_whateverTheyContain() throws Exception {
    String nasty = "\"\\\n\t\0</script>\u2028\ud800 \ud83d\ude00 é";
    try (Scheduler s = Scheduler.builder().name(nasty).build();
        ScheduleTrace trace = ScheduleTrace.of(s)) {
      s.spawn(nasty, () -> {});
      s.run();
      StringWriter text = new StringWriter();
      trace.writeTo(text);
      assertThat(text.toString()).doesNotContain("</script>").doesNotContainPattern("[^\\n -~]");
      JsonNode json = json(trace);
      assertThat(slices(json, nasty.replace('\ud800', '\ufffd'))).isNotEmpty();
    }
  }

  @Test
  void moreEventsThanItKeeps_areDropped_theOldestFirst_andTheTraceSaysHowMany() throws Exception {
    try (Scheduler s = Scheduler.create();
        ScheduleTrace trace = ScheduleTrace.of(s, 10)) {
      s.spawn("early", () -> {});
      s.run();
      s.spawn(
          "late",
          () -> {
            for (int i = 0; i < 20; i++) {
              Scheduler.pause(0);
            }
          });
      s.run();
      JsonNode json = json(trace);
      assertThat(trace.dropped()).isGreaterThan(20);
      assertThat(json.get("otherData").get("dropped").textValue()).isEqualTo("" + trace.dropped());
      assertThat(events(json).map(e -> e.get("name").textValue()))
          .contains(trace.dropped() + " events before this were dropped");
      assertThat(json.toString()).doesNotContain("early");
      assertThat(slices(json, "late")).hasSizeBetween(5, 10);
    }
  }

  @Test
  void aTraceOfNothing_isATrace_andCloseEndsTheRecording(@TempDir Path directory) throws Exception {
    try (Scheduler s = Scheduler.create()) {
      ScheduleTrace trace = ScheduleTrace.of(s);
      trace.close();
      s.spawn("late", () -> {});
      s.run();
      assertThat(json(trace).toString()).doesNotContain("late");
      Path file = directory.resolve("trace.json");
      trace.writeTo(file);
      assertThat(STRICT.readTree(file.toFile()).get("traceEvents")).hasSize(2);
    }
  }

  @Test
  void aFiberThatWasParkedBefore_appearsWithItsFirstEvent() throws Exception {
    try (Scheduler s = Scheduler.builder().clock(clock).build()) {
      s.spawn("sleeper", () -> Scheduler.pause(1));
      s.runFor(0);
      try (ScheduleTrace trace = ScheduleTrace.of(s)) {
        s.runFor(0);
        clock.advanceNanos(1_000_000_000);
        s.run();
        assertThat(slices(json(trace), "sleeper")).singleElement().asString().startsWith("run ");
      }
    }
  }

  @Test
  void aTraceOfNoEvents_isRefused() {
    try (Scheduler s = Scheduler.create()) {
      assertThatThrownBy(() -> ScheduleTrace.of(s, 0)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}
