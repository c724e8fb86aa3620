package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Seeds find what first in, first out hides; what they find is shrunk and replayed. */
@FdTest(limitSeconds = 300)
class ExplorationTest {
  /** The planted bugs, and the seed that finds each first, as docs/testing.md says. */
  enum Bug {
    LOST_WAKE_UP(3, 1) {
      @Override
      void run(TestRun run) {
        PlantedBugs.lostWakeUp(scheduler(run), (Pipe) run.give(Pipe.class));
      }
    },
    CHECK_THEN_ACT(12, 2) {
      @Override
      void run(TestRun run) {
        PlantedBugs.checkThenAct(scheduler(run), (Pipe) run.give(Pipe.class));
      }
    },
    LOCK_ORDER(12, 2) {
      @Override
      void run(TestRun run) {
        PlantedBugs.lockOrder(scheduler(run), (Pipe) run.give(Pipe.class));
      }
    },
    PARTIAL_WRITE(14, 1) {
      @Override
      void run(TestRun run) {
        ((Faults) run.give(Faults.class)).atRandom(0.1);
        PlantedBugs.partialWrite(scheduler(run), (SocketPair) run.give(SocketPair.class));
      }
    };

    private final int firstSeed;
    private final int deviations;

    Bug(int firstSeed, int deviations) {
      this.firstSeed = firstSeed;
      this.deviations = deviations;
    }

    abstract void run(TestRun run);

    static Scheduler scheduler(TestRun run) {
      return (Scheduler) run.give(Scheduler.class);
    }

    Explorer explorer(PollerKind poller) {
      return new Explorer(Set.of(), poller, this::run, run -> {}, () -> false);
    }
  }

  private static final Pattern REPLAY =
      Pattern.compile("@FdTest\\(seed = (\\d+)\\).*@FdTest\\(schedule = \"([^\"]*)\"\\)");

  static Stream<Arguments> bugsUnderEachPoller() {
    return Arrays.stream(PollerKind.values())
        .flatMap(poller -> Arrays.stream(Bug.values()).map(bug -> Arguments.of(bug, poller)));
  }

  @ParameterizedTest
  @MethodSource("bugsUnderEachPoller")
  void plantedBug_passesWithoutSeeds_isFound_shrunkAndReplayed(Bug bug, PollerKind poller)
      throws Exception {
    try (Logged logged = new Logged()) { // of the fibers that cannot be cancelled
      for (int i = 0; i < 100; i++) {
        bug.explorer(poller).schedule(Schedule.NONE);
      }
      ScheduleError found =
          catchThrowableOfType(
              ScheduleError.class,
              () -> bug.explorer(poller).seeds(LongStream.rangeClosed(1, 1000)));
      Matcher replay = REPLAY.matcher(found.getMessage());
      assertThat(replay.find()).as(found.getMessage()).isTrue();
      assertThat(replay.group(1)).isEqualTo("" + bug.firstSeed);
      Schedule schedule = Schedule.parse(replay.group(2));
      assertThat(schedule.size()).isEqualTo(bug.deviations);
      Set<String> traces = new HashSet<>();
      for (int i = 0; i < 100; i++) {
        ScheduleError again =
            catchThrowableOfType(
                ScheduleError.class, () -> bug.explorer(poller).schedule(schedule));
        traces.add(again.trace());
      }
      assertThat(traces).hasSize(1).containsOnly(found.trace());
    }
  }

  static class Annotated {
    @FdTest(seeds = 1000)
    void seeds(Scheduler scheduler, Pipe log) {
      PlantedBugs.checkThenAct(scheduler, log);
    }

    @FdTest(seed = {1, 12})
    void seed(Scheduler scheduler, Pipe log) {
      PlantedBugs.checkThenAct(scheduler, log);
    }

    @FdTest(schedule = "o1=1 o2=1")
    void schedule(Scheduler scheduler, Pipe log) {
      PlantedBugs.checkThenAct(scheduler, log);
    }

    @FdTest(schedule = "x")
    void nonsense(Scheduler scheduler) {}
  }

  @Test
  void annotation_explores_andReplaysBySeedAndBySchedule_withTheTraceReported() {
    Launched all = Launched.run(Annotated.class, "seeds");
    assertThat(all.failure()).hasMessageStartingWith("seed 12 fails: java.lang.AssertionError");
    assertThat(all.reported("trace")).contains("* \"second\" goes before \"first\"");
    assertThat(Launched.run(Annotated.class, "seed").failure())
        .hasMessageStartingWith("seed 12 fails:");
    assertThat(Launched.run(Annotated.class, "schedule").failure())
        .hasMessageStartingWith("the schedule fails:")
        .hasMessageContaining("o1=1  \"second\" goes before \"first\"");
    assertThat(Launched.run(Annotated.class, "nonsense").failure())
        .hasMessageContaining("\"x\" in the schedule \"x\" is none of o5=1, l5=1, f5=1");
  }

  @FdTest(seeds = 1000, limitSeconds = 300)
  @Tag("slow")
  void thousandRuns_ofASmallBody(Scheduler scheduler, SocketPair pair) {
    int[] got = {0};
    scheduler.spawn(
        "a",
        () -> {
          Fds.write(pair.a(), "x");
          Scheduler.ioWait(pair.a(), Scheduler.READ, -1);
          got[0]++;
        });
    scheduler.spawn(
        "b",
        () -> {
          Scheduler.ioWait(pair.b(), Scheduler.READ, -1);
          Fds.write(pair.b(), "y");
          got[0]++;
        });
    scheduler.run();
    assertThat(got[0]).isEqualTo(2);
  }

  @Test
  void failureThatDependsOnSomethingElse_isToldApart() {
    int[] runs = {0};
    Explorer explorer =
        new Explorer(
            Set.of(),
            PollerKind.AUTO,
            run -> {
              if (runs[0]++ == 3) {
                throw new IllegalStateException("once");
              }
            },
            run -> {},
            () -> false);
    assertThatThrownBy(() -> explorer.seeds(LongStream.rangeClosed(1, 10)))
        .hasMessageContaining("seed 4 fails: java.lang.IllegalStateException: once")
        .hasMessageContaining("But not when it is run again");
  }

  @Test
  void failureWithoutDeviations_isToldApart() {
    Explorer explorer =
        new Explorer(
            Set.of(),
            PollerKind.AUTO,
            run -> {
              throw new IllegalStateException("always");
            },
            run -> {},
            () -> false);
    assertThatThrownBy(() -> explorer.seeds(LongStream.of(7)))
        .hasMessageContaining("It fails without any deviation");
  }
}
