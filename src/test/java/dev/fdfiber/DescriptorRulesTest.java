package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static dev.fdfiber.Scheduler.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.Place;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** R17 and R18: waits leave nothing behind, and any descriptor will do. */
@FdTest
class DescriptorRulesTest {
  @ParameterizedTest
  @EnumSource(Place.class)
  void r17_closedDuplicatedAndReusedBetweenWaits_atWill(Place place) throws Exception {
    place.run(() -> {
      for (int i = 0; i < 20; i++) {
        Fds.Pair pipe = Fds.pipe();
        assertThat(Scheduler.ioWait(pipe.a(), READ, 0)).isZero();
        int duplicate = Fds.dup(pipe.a());
        Fds.write(pipe.b(), "x");
        assertThat(Scheduler.ioWait(pipe.a(), READ, -1)).isEqualTo(READ);
        Fds.close(pipe.a());
        assertThat(Scheduler.ioWait(duplicate, READ, -1)).isEqualTo(READ);
        // The number of the read end becomes a write end.
        assertThat(Opened.dupFrom(pipe.a(), pipe.b())).isEqualTo(pipe.a());
        assertThat(Scheduler.ioWait(pipe.a(), READ | WRITE, -1)).isEqualTo(WRITE);
        Fds.read(duplicate);
        Fds.close(duplicate);
        pipe.close();
      }
    });
  }

  @Test
  void r17_aWaitThatIsOver_isNothingToTheKernel(Pipe pipe) throws Exception {
    List<Integer> counts = new ArrayList<>();
    Kernel counting =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public int ppoll(MemorySegment pollFds, int count, long timeoutNanos) {
            counts.add(count);
            return super.ppoll(pollFds, count, timeoutNanos);
          }
        };
    try (Scheduler s = Scheduler.builder().poller(PollerKind.POLL).kernel(counting).build()) {
      int without = ofABlockingPoll(s, counts);
      Place.in(
          s,
          () -> {
            Scheduler.ioWait(pipe.writeFd(), WRITE, -1);
            Scheduler.ioWait(pipe.readFd(), READ, 0.000_001);
          });
      assertThat(counts).contains(without + 1);
      assertThat(ofABlockingPoll(s, counts)).isEqualTo(without);
      assertThat(s.anyIoWaiter()).isFalse();
    }
  }

  /** How many descriptors a poll is about in which a pause blocks. */
  private static int ofABlockingPoll(Scheduler s, List<Integer> counts) throws Exception {
    counts.clear();
    while (counts.isEmpty()) { // a pause that is over before anybody looks needs none
      Place.in(s, () -> Scheduler.pause(0.001));
    }
    return counts.getLast();
  }

  @Test
  void r18_anyNumber_canBeWaitedFor(Pipe pipe) throws Exception {
    long limit = Opened.softLimit();
    Assumptions.assumeTrue(limit > 2_000, "RLIMIT_NOFILE is only " + limit);
    List<Integer> sparse = new ArrayList<>();
    for (int least : new int[] {100, 1_023, 1_024, 1_500, (int) limit - 20, (int) limit - 1}) {
      sparse.add(Opened.dupFrom(least, pipe.readFd()));
    }
    for (Place place : Place.values()) {
      place.run(() -> {
        for (int fd : sparse) {
          assertThat(Scheduler.ioWait(fd, READ, 0)).isZero();
        }
      });
    }
    List<Integer> woken = new ArrayList<>();
    try (Scheduler s = Scheduler.create()) {
      for (int fd : sparse) {
        s.spawn(() -> {
          Scheduler.ioWait(fd, READ, -1);
          woken.add(fd);
        });
      }
      s.runUntilEmpty();
      assertThat(woken).isEmpty();
      Fds.write(pipe.writeFd(), "x");
      s.run();
    }
    assertThat(woken).isEqualTo(sparse);
    sparse.forEach(Fds::close);
  }

  @Test
  @Tag("slow")
  void r18_fifteenThousandDescriptors_canBeWaitedForAtOnce(Pipe idle, Pipe busy) throws Exception {
    int count = 15_000;
    long limit = Opened.softLimit();
    if (limit < count + 500) {
      String reason = "RLIMIT_NOFILE is only " + limit;
      System.out.println("A test is skipped: " + reason + ".");
      Assumptions.abort(reason);
    }
    Random random = new Random(1);
    try (Scheduler s = Scheduler.create()) {
      List<Integer> fds = new ArrayList<>();
      List<Integer> expected = new ArrayList<>();
      List<Integer> woken = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        boolean ready = random.nextInt(10) == 0;
        int fd = Fds.dup(ready ? busy.readFd() : idle.readFd());
        fds.add(fd);
        if (ready) {
          expected.add(fd);
        }
        s.spawn(() -> {
          Scheduler.ioWait(fd, READ, -1);
          woken.add(fd);
        });
      }
      s.runUntilEmpty();
      assertThat(s.aliveCount()).isEqualTo(count);
      Fds.write(busy.writeFd(), "x");
      s.runUntilEmpty();
      assertThat(woken).isEqualTo(expected);
      Fds.write(idle.writeFd(), "x");
      s.run();
      assertThat(woken).containsExactlyInAnyOrderElementsOf(fds);
      fds.forEach(Fds::close);
    }
  }

  @Test
  @Tag("slow")
  void r18_moreNumbersThanDescriptorsAllowed_areEachAnswered(Pipe pipe, Pipe ready)
      throws Exception {
    int count = (int) Math.min(Opened.softLimit(), 40_000) + 1_000;
    try (Scheduler s = Scheduler.builder().onUncaught((fiber, t) -> {}).build();
        Logged quiet = new Logged()) {
      Fds.write(ready.writeFd(), "x");
      Fiber waits = s.spawn(() -> Scheduler.ioWait(pipe.readFd(), READ, -1));
      List<Fiber> bad = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int fd = 1_000_000 + i;
        bad.add(s.spawn(() -> Scheduler.ioWait(fd, READ, -1)));
      }
      Fiber good = s.spawn(() -> Scheduler.ioWait(ready.readFd(), READ, -1));
      s.runUntilEmpty();
      assertThat(bad).allMatch(f -> f.failure().orElse(null) instanceof ErrnoException);
      assertThat(good.state()).isEqualTo(Fiber.State.DONE);
      assertThat(good.failure()).isEmpty();
      assertThat(waits.isAlive()).isTrue();
      assertThat(quiet.isEmpty()).isTrue();
    }
  }
}
