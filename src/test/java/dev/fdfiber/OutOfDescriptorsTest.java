package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.TimeKernel;
import dev.fdfiber.testing.WatchedKernel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** R9 and R18: a driver that is to block, and gets no eventfd. */
@FdTest
class OutOfDescriptorsTest {
  private static final long SLICE_NANOS = 10_000_000L;

  private final ManualClock clock = new ManualClock();
  private final TimeKernel time = new TimeKernel(clock);
  private final List<String> log = new ArrayList<>();

  /** Makes no eventfd as often as it is told. */
  private static final class NoEventfd extends ForwardingKernel {
    private final int errno;
    private int refusals;

    NoEventfd(Kernel next, int errno, int refusals) {
      super(next);
      this.errno = errno;
      this.refusals = refusals;
    }

    @Override
    public int eventfd(int initialValue, int flags) {
      return refusals-- > 0 ? -errno : super.eventfd(initialValue, flags);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Errno.EMFILE, Errno.ENFILE})
  void r9_withoutDescriptorForTheEventfd_theDriverPollsInShortSlices(int errno) throws Exception {
    NoEventfd kernel = new NoEventfd(time, errno, 3);
    long start = clock.nanoTime();
    try (Scheduler s = Scheduler.builder().kernel(kernel).clock(clock).build()) {
      Fiber pauses = s.spawn(() -> Scheduler.pause(0.1));
      s.run();
      assertThat(pauses.failure()).isEmpty();
    }
    // Three slices without the eventfd, then one wait of what is left.
    assertThat(time.blockingTimeouts())
        .containsExactly(SLICE_NANOS, SLICE_NANOS, SLICE_NANOS, 100_000_000 - 3 * SLICE_NANOS);
    assertThat(clock.nanoTime() - start).isEqualTo(100_000_000);
  }

  @Test
  void r9_withoutEventfd_aTimerThatIsDueSooner_isNotLate() throws Exception {
    NoEventfd kernel = new NoEventfd(time, Errno.EMFILE, Integer.MAX_VALUE);
    long start = clock.nanoTime();
    try (Scheduler s = Scheduler.builder().kernel(kernel).clock(clock).build()) {
      s.spawn(() -> Scheduler.pause(0.003));
      s.run();
    }
    assertThat(clock.nanoTime() - start).isEqualTo(3_000_000);
  }

  @Test
  void r9_withoutEventfd_readinessIsSeen() throws Exception {
    NoEventfd kernel = new NoEventfd(Kernel.system(), Errno.EMFILE, Integer.MAX_VALUE);
    try (Scheduler s = Scheduler.builder().kernel(kernel).build();
        Fds.Pair pipe = Fds.pipe()) {
      s.spawn(() -> log.add("read " + Scheduler.ioWait(pipe.a(), READ, -1)));
      s.runUntilEmpty();
      Elsewhere<Long> writer = Elsewhere.start(() -> Fds.write(pipe.b(), "x"));
      s.run();
      assertThat(writer.result()).isOne();
    }
    assertThat(log).containsExactly("read " + READ);
  }

  @Test
  void r9_withoutEventfd_submissionsByOtherThreadsAreTaken() throws Exception {
    WatchedKernel watched = new WatchedKernel();
    NoEventfd kernel = new NoEventfd(watched, Errno.EMFILE, Integer.MAX_VALUE);
    try (Scheduler s = Scheduler.builder().kernel(kernel).build()) {
      Fiber parked =
          s.spawn(() -> {
            LockSupport.park();
            log.add("unparked");
          });
      Fiber pauses = s.spawn(() -> Scheduler.pause(1000));
      Elsewhere<Void> other =
          Elsewhere.begin(() -> {
            watched.awaitBlockingPoll();
            Fiber spawned = s.spawn(() -> log.add("spawned"));
            spawned.join();
            LockSupport.unpark(parked.thread());
            parked.join();
            pauses.cancel();
          });
      s.run();
      other.result();
      assertThat(pauses.failure()).get().isInstanceOf(InterruptedException.class);
    }
    assertThat(log).containsExactly("spawned", "unparked");
    assertThat(watched.timeouts()).allMatch(t -> t >= 0 && t <= SLICE_NANOS);
  }

  @Test
  void r9_withoutEventfd_stopAndInterruptEndTheCall() throws Exception {
    WatchedKernel watched = new WatchedKernel();
    NoEventfd kernel = new NoEventfd(watched, Errno.ENFILE, Integer.MAX_VALUE);
    Thread me = Thread.currentThread();
    try (Scheduler s = Scheduler.builder().kernel(kernel).build()) {
      s.spawn(() -> Scheduler.pause(1000));
      Elsewhere<Void> stops =
          Elsewhere.begin(() -> {
            watched.awaitBlockingPoll();
            s.stop();
          });
      s.run();
      stops.result();
      watched.forgetBlockingPolls();
      Elsewhere<Void> interrupts =
          Elsewhere.begin(() -> {
            watched.awaitBlockingPoll();
            me.interrupt();
          });
      s.run();
      assertThat(Thread.interrupted()).isTrue();
      interrupts.result();
      assertThat(s.aliveCount()).isOne();
    }
  }

  @Test
  void r9_anyOtherErrorOfTheEventfd_isIllegalState_andCanBeRepeated() throws Exception {
    NoEventfd kernel = new NoEventfd(time, Errno.ENOMEM, 1);
    try (Scheduler s = Scheduler.builder().kernel(kernel).clock(clock).build()) {
      Fiber pauses = s.spawn(() -> Scheduler.pause(1));
      assertThatThrownBy(s::run)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("cannot block: eventfd: ENOMEM")
          .hasCauseInstanceOf(ErrnoException.class);
      assertThat(pauses.isAlive()).isTrue();
      s.run();
      assertThat(pauses.failure()).isEmpty();
      assertThat(pauses.isAlive()).isFalse();
    }
  }
}
