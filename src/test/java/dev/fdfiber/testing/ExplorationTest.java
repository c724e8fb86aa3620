package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Seeds find what first in, first out hides; what they find is shrunk and replayed. */
@Timeout(120)
class ExplorationTest {
  static class Buggy {
    @FdTest(seeds = 1000)
    void lostWakeUp(Scheduler scheduler, Pipe log) {
      PlantedBugs.lostWakeUp(scheduler, log);
    }

    @FdTest(seeds = 1000)
    void checkThenAct(Scheduler scheduler, Pipe log) {
      PlantedBugs.checkThenAct(scheduler, log);
    }

    @FdTest(seeds = 1000)
    void lockOrder(Scheduler scheduler, Pipe log) {
      PlantedBugs.lockOrder(scheduler, log);
    }

    @FdTest(seeds = 1000)
    void partialWrite(Scheduler scheduler, Faults faults, SocketPair pair) {
      faults.atRandom(0.1);
      PlantedBugs.partialWrite(scheduler, pair);
    }
  }

  /** The same without seeds: what a plain test sees. */
  static class Plain {
    @FdTest
    void lostWakeUp(Scheduler scheduler, Pipe log) {
      PlantedBugs.lostWakeUp(scheduler, log);
    }

    @FdTest
    void checkThenAct(Scheduler scheduler, Pipe log) {
      PlantedBugs.checkThenAct(scheduler, log);
    }

    @FdTest
    void lockOrder(Scheduler scheduler, Pipe log) {
      PlantedBugs.lockOrder(scheduler, log);
    }

    @FdTest
    void partialWrite(Scheduler scheduler, SocketPair pair) {
      PlantedBugs.partialWrite(scheduler, pair);
    }
  }

  private static final Pattern REPLAY =
      Pattern.compile("@FdTest\\(seed = (\\d+)\\).*@FdTest\\(schedule = \"([^\"]*)\"\\)");

  @Test
  void plantedBugs_passWithoutSeeds() {
    assertThat(Launched.run(Plain.class).failure()).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"lostWakeUp", "checkThenAct", "lockOrder", "partialWrite"})
  void plantedBug_isFoundAndShrunk(String bug) {
    Throwable failure = Launched.run(Buggy.class, bug).failure();
    assertThat(failure).isInstanceOf(ScheduleError.class);
    Matcher replay = REPLAY.matcher(failure.getMessage());
    assertThat(replay.find()).isTrue();
    Schedule schedule = Schedule.parse(replay.group(2));
    assertThat(schedule.size()).isBetween(1, 5);
  }
}
