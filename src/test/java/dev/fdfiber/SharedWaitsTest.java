package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static dev.fdfiber.Scheduler.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.SocketPair;
import dev.fdfiber.testing.TimeKernel;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** R15: several fibers that wait for one descriptor. */
@FdTest
class SharedWaitsTest {
  private final List<String> seen = new ArrayList<>();

  private Fiber waiter(Scheduler s, String name, int fd, int mode, double timeout) {
    return s.spawn(name, () -> seen.add(name + Scheduler.ioWait(fd, mode, timeout)));
  }

  @Test
  void r15_readersAndWriters_eachGetTheirOwnBit(Scheduler s, SocketPair pair) {
    waiter(s, "r", pair.a(), READ, -1);
    waiter(s, "s", pair.a(), READ, -1);
    waiter(s, "w", pair.a(), WRITE, -1);
    Fds.write(pair.b(), "x");
    s.runUntilEmpty();
    assertThat(seen).containsExactly("r1", "s1", "w2");
  }

  @Test
  void r15_onlyThoseConcerned_areWoken(Scheduler s, SocketPair pair) {
    Fds.fill(pair.a());
    waiter(s, "r", pair.a(), READ, -1);
    waiter(s, "w", pair.a(), WRITE, -1);
    waiter(s, "b", pair.a(), READ | WRITE, -1);
    waiter(s, "s", pair.a(), READ, -1);
    s.runUntilEmpty();
    assertThat(seen).isEmpty();
    Fds.write(pair.b(), "x");
    s.runUntilEmpty();
    assertThat(seen).containsExactly("r1", "b1", "s1");
    assertThat(s.anyIoWaiter()).isTrue();
    while (Fds.read(pair.b()) != null) {
      s.runUntilEmpty();
    }
    s.runUntilEmpty();
    assertThat(seen).containsExactly("r1", "b1", "s1", "w2");
    assertThat(s.anyIoWaiter()).isFalse();
  }

  @Test
  void r15_manyWaiters_areWokenInTheOrderInWhichTheyCame(Scheduler s, Pipe pipe) {
    IntStream.range(0, 200).forEach(i -> waiter(s, i + ":", pipe.readFd(), READ, -1));
    s.runUntilEmpty();
    Fds.write(pipe.writeFd(), "x");
    s.run();
    assertThat(seen).isEqualTo(IntStream.range(0, 200).mapToObj(i -> i + ":1").toList());
  }

  @Test
  @Tag("slow")
  void r15_moreWaitersThanDescriptorsAllowed_work(Scheduler s, Pipe pipe) {
    int count = (int) Math.max(30_000, Math.min(Opened.softLimit() + 10, 60_000));
    int[] woken = new int[1];
    for (int i = 0; i < count; i++) {
      s.spawn(() -> {
        int bits = Scheduler.ioWait(pipe.readFd(), READ, -1);
        woken[0] += bits;
      });
    }
    s.runUntilEmpty();
    assertThat(s.aliveCount()).isEqualTo(count);
    assertThat(woken[0]).isZero();
    Fds.write(pipe.writeFd(), "x");
    s.run();
    assertThat(woken[0]).isEqualTo(count);
  }

  @Test
  void r15_oneThatExpires_leavesTheOthers(Pipe pipe) {
    ManualClock clock = new ManualClock();
    try (Scheduler s = Scheduler.builder().clock(clock).kernel(new TimeKernel(clock)).build()) {
      waiter(s, "a", pipe.readFd(), READ, -1);
      waiter(s, "b", pipe.readFd(), READ, 1);
      waiter(s, "c", pipe.readFd(), READ, 5);
      s.runUntilEmpty();
      clock.advance(Duration.ofSeconds(1));
      s.runUntilEmpty();
      assertThat(seen).containsExactly("b0");
      Fds.write(pipe.writeFd(), "x");
      s.runUntilEmpty();
      assertThat(seen).containsExactly("b0", "a1", "c1");
      assertThat(s.nextWakeNanos()).isEmpty();
    }
  }

  @Test
  void r15_anyOfThem_canBeCancelled() {
    for (int gone = 0; gone < 3; gone++) {
      seen.clear();
      try (Scheduler s = Scheduler.create();
          Fds.Pair pipe = Fds.pipe()) {
        List<Fiber> fibers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
          fibers.add(waiter(s, i + ":", pipe.a(), READ, -1));
        }
        s.runUntilEmpty();
        fibers.get(gone).cancel();
        s.runUntilEmpty();
        assertThat(fibers.get(gone).failure()).get().isInstanceOf(InterruptedException.class);
        Fds.write(pipe.b(), "x");
        s.runUntilEmpty();
        int without = gone;
        assertThat(seen)
            .isEqualTo(
                IntStream.range(0, 3).filter(i -> i != without).mapToObj(i -> i + ":1").toList());
      }
    }
  }

  @Test
  void r15_waitersOfOneDescriptor_areOneEntryForTheKernel(Pipe pipe) {
    int[] most = new int[1];
    Kernel counting =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public int ppoll(MemorySegment pollFds, int count, long timeoutNanos) {
            most[0] = Math.max(most[0], count);
            return super.ppoll(pollFds, count, timeoutNanos);
          }
        };
    try (Scheduler s = Scheduler.builder().poller(PollerKind.POLL).kernel(counting).build()) {
      IntStream.range(0, 50).forEach(i -> waiter(s, i + ":", pipe.readFd(), READ, -1));
      s.runUntilEmpty();
      Fds.write(pipe.writeFd(), "x");
      s.run();
    }
    assertThat(seen).hasSize(50);
    assertThat(most[0]).isLessThanOrEqualTo(2);
  }
}
