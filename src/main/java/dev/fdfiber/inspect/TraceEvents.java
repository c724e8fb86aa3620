package dev.fdfiber.inspect;

import dev.fdfiber.Fiber;
import dev.fdfiber.PollerKind;
import dev.fdfiber.poller.Wait;
import java.io.IOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes trace-event JSON of what was recorded. The format: Google's "Trace Event Format", with
 * metadata (M), duration (B, E), instant (i) and flow (s, f) events; times are microseconds from
 * the first event, with three decimals, so exact. The duration of a complete event (X) is added by
 * the viewer, with an error that lets slices overlap which only touch; so none are used.
 *
 * <p>An arrow begins in the slice of who woke and ends in the turn that the woken fiber got. A
 * slice does not include its end, so an arrow out of a look, which wakes at its very end, begins a
 * nanosecond before.
 */
final class TraceEvents {
  private static final long DRIVER_ROW = 0; // ids of fibers begin with 1

  /** When something happened; what happened at the same time has an order. */
  private record Moment(long nanos, long order) {
    /** Just before this, but in a slice that lasts from another moment until this. */
    Moment before(Moment sliceBegins) {
      return new Moment(Math.max(sliceBegins.nanos, nanos - 1), order - 1);
    }
  }

  /** A line of the file. */
  private record Line(Moment moment, String json) {}

  /** What a fiber is in, since when. */
  private static final class Row {
    final Fiber fiber;
    String slice = ""; // none
    String arguments = "";
    Moment since;
    @Nullable Moment turnBegan; // the last turn, also one that goes on
    @Nullable Moment turnEnded;
    long arrow; // that leads to this turn; 0 for none
    @Nullable Moment woken; // by somebody who is known
    long wokenBy; // the row of who that is

    Row(Fiber fiber, Moment since) {
      this.fiber = fiber;
      this.since = since;
    }
  }

  private static final int ORDERS = 4; // for each entry: what is put before it finds room

  private final String scheduler;
  private final Map<Fiber, Row> rows = new LinkedHashMap<>();
  private final List<Line> lines = new ArrayList<>();
  private final List<Row> wokenByNoFiber = new ArrayList<>(); // but perhaps by the next look
  private Moment now = new Moment(0, 0);
  private @Nullable Long first;
  private long arrows;

  TraceEvents(String scheduler) {
    this.scheduler = scheduler;
  }

  /** Adds what happened next. */
  void add(ScheduleTrace.Entry entry) {
    now = new Moment(entry.nanos(), now.order + ORDERS);
    if (first == null) {
      first = entry.kind() == ScheduleTrace.Kind.LOOKED ? entry.a() : entry.nanos();
    }
    switch (entry.kind()) {
      case READY -> ready(row(entry), entry.by());
      case RESUMES -> resumes(row(entry));
      case LEFT -> left(row(entry), entry);
      case LOOKED -> looked(entry);
      case SWITCHED -> {
        PollerKind kind = entry.a() == 1 ? PollerKind.EPOLL : PollerKind.POLL;
        instant("asks by " + kind, "t", now);
      }
    }
  }

  private Row row(ScheduleTrace.Entry entry) {
    Fiber fiber = Objects.requireNonNull(entry.fiber(), "an event of a fiber");
    return rows.computeIfAbsent(fiber, f -> new Row(f, now));
  }

  private void ready(Row row, @Nullable Fiber by) {
    begin(row, "ready", "");
    row.woken = null;
    if (by == null) {
      row.woken = now;
      row.wokenBy = -1;
      wokenByNoFiber.add(row);
      return;
    }
    Row waker = rows.get(by);
    if (waker != null && waker.turnBegan != null) {
      Moment ended = waker.turnEnded; // of who has just ended, and wakes who waits for that
      row.woken = ended == null ? now : ended.before(waker.turnBegan);
      row.wokenBy = by.id();
    }
  }

  private void resumes(Row row) {
    begin(row, "run", "");
    row.turnBegan = now;
    row.turnEnded = null;
    if (row.woken != null && row.wokenBy >= 0) {
      row.arrow = ++arrows;
      arrow("s", "", row.arrow, row.wokenBy, row.woken);
    }
    row.woken = null;
  }

  private void left(Row row, ScheduleTrace.Entry entry) {
    Fiber.State state = Objects.requireNonNull(entry.state(), "a fiber leaves in a state");
    String slice =
        switch (state) {
          case READY, RUNNING -> "ready";
          case PAUSED -> "pause";
          case WAITING_IO -> "wait-io";
          case BLOCKED -> "blocked";
          case DONE -> "";
        };
    boolean forFd = state == Fiber.State.WAITING_IO && entry.a() >= 0;
    String mode = "\"mode\":" + Json.quoted(Wait.text((int) entry.b()));
    begin(row, slice, forFd ? "\"fd\":" + entry.a() + "," + mode : "");
  }

  private void looked(ScheduleTrace.Entry entry) {
    long counts = entry.b();
    String arguments = "\"resumed\":" + (counts >>> Integer.SIZE) + ",\"woken\":" + (int) counts;
    Moment began = new Moment(entry.a(), now.order);
    for (Row row : wokenByNoFiber) {
      Moment woken = row.woken;
      if (woken != null && woken.nanos - began.nanos >= 0) {
        began = new Moment(began.nanos, Math.min(began.order, woken.order - 2));
        row.woken = woken.before(began);
        row.wokenBy = DRIVER_ROW;
      }
    }
    wokenByNoFiber.clear();
    sliceBegins("look", DRIVER_ROW, arguments, began);
    sliceEnds("look", DRIVER_ROW);
  }

  /** Ends the slice that a row is in, and begins another. */
  private void begin(Row row, String slice, String arguments) {
    boolean isTurn = row.slice.equals("run");
    if (isTurn) {
      row.turnEnded = now;
    }
    if (isTurn || (now.nanos != row.since.nanos && !row.slice.isEmpty())) {
      sliceBegins(row.slice, row.fiber.id(), row.arguments, row.since);
      if (row.arrow > 0) {
        arrow("f", ",\"bp\":\"e\"", row.arrow, row.fiber.id(), row.since);
        row.arrow = 0;
      }
      sliceEnds(row.slice, row.fiber.id());
    }
    row.slice = slice;
    row.arguments = arguments;
    row.since = now;
  }

  private void sliceBegins(String name, long tid, String arguments, Moment moment) {
    String more = arguments.isEmpty() ? "" : ",\"args\":{" + arguments + "}";
    line(
        moment,
        "\"ph\":\"B\",\"cat\":\"fiber\",\"name\":\"%s\",\"pid\":1,\"tid\":%d,\"ts\":%s%s"
            .formatted(name, tid, micros(moment), more));
  }

  private void sliceEnds(String name, long tid) {
    line(
        now,
        "\"ph\":\"E\",\"name\":\"%s\",\"pid\":1,\"tid\":%d,\"ts\":%s"
            .formatted(name, tid, micros(now)));
  }

  private void arrow(String phase, String more, long id, long tid, Moment moment) {
    line(
        moment,
        "\"ph\":\"%s\",\"cat\":\"wake\",\"name\":\"wake\",\"id\":%d,\"pid\":1,\"tid\":%d,\"ts\":%s%s"
            .formatted(phase, id, tid, micros(moment), more));
  }

  private void instant(String name, String scope, Moment moment) {
    line(
        moment,
        "\"ph\":\"i\",\"cat\":\"scheduler\",\"name\":%s,\"s\":\"%s\",\"pid\":1,\"tid\":%d,\"ts\":%s"
            .formatted(Json.quoted(name), scope, DRIVER_ROW, micros(moment)));
  }

  private void line(Moment moment, String json) {
    lines.add(new Line(moment, json));
  }

  private long origin() {
    return first == null ? 0 : first;
  }

  private String micros(Moment moment) {
    long passed = moment.nanos - origin();
    return String.format(Locale.ROOT, "%d.%03d", passed / 1000, passed % 1000);
  }

  /** Writes all of it; what is not over yet ends with the last event. */
  void writeTo(Writer out, long dropped) throws IOException {
    for (Row row : rows.values()) {
      begin(row, "", "");
    }
    if (dropped > 0) {
      instant(dropped + " events before this were dropped", "g", new Moment(origin(), 0));
    }
    Comparator<Line> byTime = Comparator.comparingLong(line -> line.moment.nanos - origin());
    lines.sort(byTime.thenComparingLong(line -> line.moment.order));
    out.write("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"scheduler\":");
    out.write(Json.quoted(scheduler) + ",\"dropped\":\"" + dropped + "\"},\n\"traceEvents\":[\n");
    out.write("{" + metadata("process_name", DRIVER_ROW, "scheduler " + scheduler) + "}");
    out.write(",\n{" + metadata("thread_name", DRIVER_ROW, "driver") + "}");
    for (Row row : rows.values()) {
      out.write(",\n{" + metadata("thread_name", row.fiber.id(), row.fiber.name()) + "}");
    }
    for (Line line : lines) {
      out.write(",\n{" + line.json + "}");
    }
    out.write("\n]}\n");
  }

  private static String metadata(String name, long tid, String value) {
    return "\"ph\":\"M\",\"name\":\"%s\",\"pid\":1,\"tid\":%d,\"args\":{\"name\":%s}"
        .formatted(name, tid, Json.quoted(value));
  }
}
