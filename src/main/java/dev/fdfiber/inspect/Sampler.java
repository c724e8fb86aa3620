package dev.fdfiber.inspect;

import dev.fdfiber.Clock;
import dev.fdfiber.Fiber;
import dev.fdfiber.FiberInfo;
import dev.fdfiber.Scheduler;
import dev.fdfiber.SchedulerInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Looks at schedulers for all pages that are open: once per period, however many they are. Times
 * are milliseconds since this was made. Any thread, one at a time.
 */
final class Sampler {
  static final long PERIOD_MILLIS = 500;

  /** Who runs for so long without a resume in between holds the driver. */
  private static final long HELD_MILLIS = 900;

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  /** A fiber; since when it is in its state, and until when, which is -1 if there is no limit. */
  record Row(int scheduler, FiberInfo info, long sinceMillis, long limitMillis) {
    String key() {
      return scheduler + "." + info.id();
    }
  }

  /** What a scheduler did; {@code held} is the fiber that holds it, for so long. */
  record Totals(
      SchedulerInfo info, Map<Fiber.State, Integer> states, long cpuNanos, Optional<Held> held) {}

  /** A fiber that holds its driver. */
  record Held(String fiber, long millis) {}

  /** All there is at one moment. */
  record Sample(long atMillis, List<Row> rows, List<Totals> totals) {}

  private record Turn(long fiber, long resumes, long sinceMillis) {}

  private final Supplier<List<Scheduler>> source;
  private final Map<Scheduler, Turn> turns = new HashMap<>();
  private final Texts texts = new Texts();
  private final String id = Long.toHexString(Clock.system().nanoTime());
  private final long startNanos = Clock.system().nanoTime();
  private Sample last = new Sample(-PERIOD_MILLIS, List.of(), List.of());

  Sampler(Supplier<List<Scheduler>> source) {
    this.source = source;
  }

  List<Scheduler> schedulers() {
    return source.get();
  }

  /** Which it is, of those that may follow each other on a port. */
  String id() {
    return id;
  }

  private long nowMillis() {
    return (Clock.system().nanoTime() - startNanos) / 1_000_000;
  }

  /** What is there now, or was a moment ago. */
  synchronized Sample sample() {
    long now = nowMillis();
    if (now - last.atMillis >= PERIOD_MILLIS / 2) {
      texts.sample();
      last = take(now);
    }
    return last;
  }

  /** What a fiber waits for. */
  synchronized String wait(FiberInfo fiber) {
    return texts.wait(fiber, last.atMillis);
  }

  private Sample take(long now) {
    List<Row> rows = new ArrayList<>();
    List<Totals> totals = new ArrayList<>();
    List<Scheduler> schedulers = source.get();
    turns.keySet().retainAll(schedulers);
    for (int i = 0; i < schedulers.size(); i++) {
      Map<Fiber.State, Integer> states = new EnumMap<>(Fiber.State.class);
      for (FiberInfo fiber : schedulers.get(i).fibers()) {
        if (fiber.state() != Fiber.State.DONE) {
          states.merge(fiber.state(), 1, Integer::sum);
          long since = now - fiber.nanosInState() / 1_000_000;
          long limit =
              fiber.nanosLeft().isPresent() ? now + fiber.nanosLeft().getAsLong() / 1_000_000 : -1;
          rows.add(new Row(i, fiber, since, limit));
        }
      }
      totals.add(totals(schedulers.get(i), states, now));
    }
    return new Sample(now, rows, totals);
  }

  private Totals totals(Scheduler scheduler, Map<Fiber.State, Integer> states, long now) {
    SchedulerInfo info = scheduler.info();
    long cpu = info.driver().map(thread -> THREADS.getThreadCpuTime(thread.threadId())).orElse(-1L);
    Optional<Held> held = Optional.empty();
    if (info.running().isEmpty()) {
      turns.remove(scheduler);
    } else {
      Fiber running = info.running().get();
      Turn turn = turns.get(scheduler);
      if (turn == null || turn.fiber != running.id() || turn.resumes != info.resumes()) {
        turns.put(scheduler, new Turn(running.id(), info.resumes(), now));
      } else if (now - turn.sinceMillis >= HELD_MILLIS) {
        held = Optional.of(new Held(running.name(), now - turn.sinceMillis));
      }
    }
    return new Totals(info, states, Math.max(0, cpu), held);
  }
}
