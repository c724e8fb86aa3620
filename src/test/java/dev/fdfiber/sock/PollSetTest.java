package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.SocketPair;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Many descriptors, one wait. */
@FdTest
class PollSetTest {
  private static final int BOTH = Scheduler.READ | Scheduler.WRITE;

  @ParameterizedTest
  @EnumSource(Place.class)
  void aThousandDescriptors_areWaitedForTogether(Place place) throws Exception {
    List<Fds.Pair> pipes = new ArrayList<>();
    try {
      PollSet set = new PollSet();
      for (int i = 0; i < 1000; i++) {
        pipes.add(Fds.pipe());
        assertThat(set.add(pipes.get(i).a(), Scheduler.READ)).isEqualTo(i);
      }
      place.run(() -> {
        assertThat(set.run(0)).isZero();
        assertThat(set.run(1)).isZero();
        for (int i : new int[] {0, 255, 256, 257, 999}) {
          Fds.write(pipes.get(i).b(), "x");
        }
        assertThat(set.run(-1)).isEqualTo(5);
        for (int i = 0; i < 1000; i++) {
          boolean ready = i == 0 || (i >= 255 && i <= 257) || i == 999;
          assertThat(set.ready(i)).isEqualTo(ready ? Scheduler.READ : 0);
          assertThat(set.error(i)).isZero();
        }
      });
    } finally {
      pipes.forEach(Fds.Pair::close);
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void errors_areToldApart(Place place, SocketPair pair, SocketPair gone) throws Exception {
    Fds.close(gone.b());
    PollSet set = new PollSet();
    place.run(() -> {
      set.add(Opened.notOpen(), Scheduler.READ);
      set.add(-1, Scheduler.WRITE);
      set.add(pair.a(), BOTH);
      set.add(pair.a(), Scheduler.READ);
      set.add(gone.a(), BOTH);
      assertThat(set.run(-1)).isEqualTo(4);
      assertThat(List.of(set.ready(0), set.ready(1), set.ready(2), set.ready(3), set.ready(4)))
          .containsExactly(0, 0, Scheduler.WRITE, 0, BOTH);
      assertThat(List.of(set.error(0), set.error(1), set.error(2), set.error(3), set.error(4)))
          .containsExactly(Errno.EBADF, Errno.EBADF, 0, 0, 0);
      set.reset();
      assertThatThrownBy(() -> set.ready(0)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> set.add(0, 0)).isInstanceOf(IllegalArgumentException.class);
      assertThat(set.run(1)).isZero();
    });
  }

  @Test
  void readiness_wakesOneOfManyFibers(Scheduler s, Pipe idle, Pipe one, Pipe two) {
    List<String> seen = new ArrayList<>();
    for (Pipe pipe : List.of(one, two)) {
      s.spawn(() -> {
        PollSet set = new PollSet();
        set.add(pipe.readFd(), Scheduler.READ);
        set.add(idle.readFd(), Scheduler.READ);
        seen.add(set.run(-1) + " " + set.ready(0));
      });
    }
    s.runUntilEmpty();
    Fds.write(two.writeFd(), "x");
    s.runUntilEmpty();
    assertThat(seen).containsExactly("1 1");
    s.clear();
  }

  @Test
  void closing_endsTheWaitWithAnErrorInItsSlot(Scheduler s, Pipe one, Pipe two) {
    int[] errors = new int[2];
    Fiber waiter =
        s.spawn(() -> {
          PollSet set = new PollSet();
          set.add(one.readFd(), Scheduler.READ);
          set.add(two.readFd(), Scheduler.READ);
          assertThat(set.run(-1)).isEqualTo(1);
          errors[0] = set.error(0);
          errors[1] = set.error(1);
        });
    s.spawn(() -> {
      Sock.close(two.readFd());
      assertThat(Opened.dupFrom(two.readFd(), one.writeFd()))
          .isEqualTo(two.readFd()); // used again at once
    });
    s.run();
    assertThat(waiter.failure()).isEmpty();
    assertThat(errors).containsExactly(0, Errno.EBADF);
    assertThat(s.anyIoWaiter()).isFalse();
    Fds.close(two.readFd()); // the number of another file now
  }

  @Test
  void r20_cancel_leavesNoWait(Scheduler s, Pipe one, Pipe two) {
    Fiber waiter =
        s.spawn(() -> {
          PollSet set = new PollSet();
          set.add(one.readFd(), Scheduler.READ);
          set.add(two.readFd(), Scheduler.READ);
          assertThatThrownBy(() -> set.run(60_000)).isInstanceOf(InterruptedIOException.class);
          assertThat(Thread.currentThread().isInterrupted()).isTrue();
        });
    s.runUntilEmpty();
    assertThat(s.anyIoWaiter()).isTrue();
    waiter.cancel();
    s.run();
    assertThat(waiter.failure()).isEmpty();
    assertThat(s.anyIoWaiter()).isFalse();
    assertThat(s.nextWakeNanos()).isEmpty();
  }

  @Test
  void interruptOutsideAFiber_endsTheRun(Pipe pipe) throws Exception {
    PollSet set = new PollSet();
    set.add(pipe.readFd(), Scheduler.READ);
    Elsewhere<Void> waits =
        Elsewhere.begin(
            () -> assertThatThrownBy(() -> set.run(-1)).isInstanceOf(InterruptedIOException.class));
    waits.thread().interrupt();
    waits.result();
  }
}
