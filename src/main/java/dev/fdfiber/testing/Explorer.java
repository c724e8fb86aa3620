package dev.fdfiber.testing;

import dev.fdfiber.PollerKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Runs a body under the choices of many seeds, until one fails; then looks for the fewest
 * deviations from first in, first out that still fail alike.
 */
final class Explorer {
  /** How a run ended, and what its choices were. */
  private record Outcome(@Nullable Throwable failure, Choices choices, TestRun run) {
    boolean isLike(Throwable other) {
      return failure != null && kind(failure).equals(kind(other));
    }

    /** Two failures are alike if what failed first is of one class. */
    private static String kind(Throwable failure) {
      Throwable cause = failure;
      while (cause.getCause() != null) {
        cause = cause.getCause();
      }
      return cause.getClass().getName();
    }
  }

  private final Set<Class<?>> wanted;
  private final PollerKind poller;
  private final TestBody body;
  private final Consumer<TestRun> began;
  private final BooleanSupplier timeIsUp;

  /**
   * Explores a body.
   *
   * @param wanted what the body takes
   * @param poller how the scheduler asks who is ready
   * @param began is told of each run
   * @param timeIsUp if to go no further
   */
  Explorer(
      Set<Class<?>> wanted,
      PollerKind poller,
      TestBody body,
      Consumer<TestRun> began,
      BooleanSupplier timeIsUp) {
    this.wanted = wanted;
    this.poller = poller;
    this.body = body;
    this.began = began;
    this.timeIsUp = timeIsUp;
  }

  /** Runs with each of the seeds; throws what the first that fails comes to. */
  void seeds(LongStream seeds) throws ScheduleError {
    for (long seed : seeds.toArray()) {
      Outcome outcome = run(Choices.seeded(seed), false, TestRun.PATIENCE_NANOS);
      if (timeIsUp.getAsBoolean()) {
        return;
      }
      if (outcome.failure != null) {
        fail(seed, outcome);
      }
    }
  }

  /** Runs with a schedule; throws if it fails. */
  void schedule(Schedule schedule) throws ScheduleError {
    Outcome outcome = run(Choices.of(schedule), true, TestRun.PATIENCE_NANOS);
    if (outcome.failure != null) {
      String text = "the schedule fails: " + outcome.failure + deviations(outcome);
      throw error(text, outcome, outcome.failure);
    }
  }

  private Outcome run(Choices choices, boolean traced, long patienceNanos) {
    TestRun run = new TestRun(wanted, poller, choices, traced);
    began.accept(run);
    Throwable thrown = null;
    try {
      body.run(run);
    } catch (Throwable t) {
      thrown = t;
    }
    return new Outcome(run.end(thrown, patienceNanos), choices, run);
  }

  private void fail(long seed, Outcome found) throws ScheduleError {
    Throwable failure = Objects.requireNonNull(found.failure);
    Schedule all = found.choices.taken();
    Schedule few = new Schedule(shrink(all.deviations(), failure));
    Outcome last = run(Choices.of(few), true, TestRun.PATIENCE_NANOS);
    String what = "seed " + seed + " fails: ";
    if (!last.isLike(failure)) {
      String unsteady =
          "\nBut not when it is run again: it depends on something else than its choices,"
              + " such as time, other threads or state that outlives a run.";
      throw error(what + failure + unsteady, found, failure);
    }
    Throwable shown = Objects.requireNonNull(last.failure);
    String text = what + shown;
    if (few.size() == 0) {
      text +=
          "\n"
              + "It fails without any deviation from first in, first out as well: try it without"
              + " seeds.";
    } else {
      text +=
          "\nFewest deviations from first in, first out that still fail, "
              + (few.size() + " of " + all.size() + ":")
              + deviations(last)
              + ("\nReplay it with @FdTest(seed = " + seed + "),")
              + (" or shrunk with @FdTest(schedule = \"" + few + "\")");
    }
    throw error(text, last, shown);
  }

  private static String deviations(Outcome outcome) {
    StringBuilder text = new StringBuilder();
    List<Schedule.Deviation> deviations = outcome.choices.taken().deviations();
    List<String> words = outcome.choices.descriptions();
    for (int i = 0; i < deviations.size() && i < words.size(); i++) {
      text.append("\n  ").append(deviations.get(i)).append("  ").append(words.get(i));
    }
    return text.toString();
  }

  private static ScheduleError error(String text, Outcome outcome, Throwable failure) {
    String trace = outcome.run.trace().toString();
    return new ScheduleError(text + outcome.run.shownTrace(), failure, trace);
  }

  /**
   * Delta debugging: takes away what is not needed, in ever smaller parts, then lowers the rest.
   */
  private List<Schedule.Deviation> shrink(List<Schedule.Deviation> all, Throwable failure) {
    List<Schedule.Deviation> left = all;
    if (fails(List.of(), failure)) {
      return List.of();
    }
    for (int part = Math.max(1, left.size() / 2); ; part = Math.max(1, part / 2)) {
      boolean less = false;
      for (int from = 0; from < left.size(); ) {
        List<Schedule.Deviation> without = new ArrayList<>(left);
        without.subList(from, Math.min(from + part, left.size())).clear();
        if (fails(without, failure)) {
          left = without;
          less = true;
        } else {
          from += part;
        }
      }
      if (part == 1 && !less) {
        break;
      }
    }
    return lower(left, failure);
  }

  private List<Schedule.Deviation> lower(List<Schedule.Deviation> all, Throwable failure) {
    List<Schedule.Deviation> left = new ArrayList<>(all);
    for (int i = 0; i < left.size(); i++) {
      Schedule.Deviation deviation = left.get(i);
      if (deviation.choice() > 1) {
        left.set(i, new Schedule.Deviation(deviation.kind(), deviation.at(), 1));
        if (!fails(left, failure)) {
          left.set(i, deviation);
        }
      }
    }
    return left;
  }

  private boolean fails(List<Schedule.Deviation> deviations, Throwable failure) {
    return !timeIsUp.getAsBoolean()
        && run(Choices.of(new Schedule(deviations)), false, TestRun.LESS_PATIENCE_NANOS)
            .isLike(failure);
  }
}
