package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.TimeKernel;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** R16: a descriptor that is closed behind the library's back, while fibers wait for it. */
@FdTest
class ClosedBehindTest {
  private static final Duration AT_MOST = Duration.ofSeconds(2);

  @Test
  void r16_whileADescriptorIsWaitedFor_noPollBlocksLongerThanTwoSeconds(Pipe pipe)
      throws Exception {
    ManualClock clock = new ManualClock();
    TimeKernel kernel = new TimeKernel(clock);
    try (Scheduler s = Scheduler.builder().clock(clock).kernel(kernel).build()) {
      Fiber waiter = s.spawn(() -> Scheduler.ioWait(pipe.readFd(), READ, -1));
      Fiber timed = s.spawn(() -> Scheduler.ioWait(pipe.readFd(), READ, 100));
      s.runFor(30);
      s.tick(5_000);
      s.spawn(() -> Scheduler.pause(10)).join();
      assertThat(waiter.isAlive()).isTrue();
      assertThat(timed.isAlive()).isTrue();
      assertThat(kernel.blockingTimeouts())
          .hasSizeGreaterThanOrEqualTo(15)
          .allMatch(t -> t > 0 && t <= AT_MOST.toNanos());
    }
  }

  @Test
  void r16_withoutADescriptorToWaitFor_aPollBlocksAsLongAsTheTimerSays() throws Exception {
    ManualClock clock = new ManualClock();
    TimeKernel kernel = new TimeKernel(clock);
    try (Scheduler s = Scheduler.builder().clock(clock).kernel(kernel).build()) {
      Place.in(s, () -> Scheduler.pause(100));
      assertThat(kernel.blockingTimeouts()).containsExactly(Duration.ofSeconds(100).toNanos());
    }
  }

  @Test
  void r16_closedByAnotherFiber_isEbadfForEveryWaiter(Pipe pipe) {
    try (Scheduler s = Scheduler.create();
        Logged quiet = new Logged()) {
      List<Fiber> waiters = new ArrayList<>();
      for (int mode = 1; mode <= 3; mode++) {
        int asked = mode;
        waiters.add(s.spawn(() -> Scheduler.ioWait(pipe.readFd(), asked, -1)));
      }
      s.runUntilEmpty();
      s.spawn(() -> Fds.close(pipe.readFd()));
      s.run();
      assertThat(waiters).allSatisfy(w -> assertEbadf(w.failure().orElseThrow()));
      assertThat(quiet.thrown()).hasSize(3);
    }
  }

  private static void assertEbadf(Throwable t) {
    assertThat(t).isInstanceOf(ErrnoException.class);
    assertThat(((ErrnoException) t).errno()).isEqualTo(Errno.EBADF);
  }

  /** A kernel that tells when a poll is about to block, and for how long each is to. */
  private static final class BlockingPolls extends ForwardingKernel {
    private final CountDownLatch blocks = new CountDownLatch(1);
    private final List<Long> timeouts = new CopyOnWriteArrayList<>();

    BlockingPolls() {
      super(Kernel.system());
    }

    @Override
    protected int look(long timeoutNanos, Look next) {
      if (timeoutNanos != 0) {
        timeouts.add(timeoutNanos);
        blocks.countDown();
      }
      return super.look(timeoutNanos, next);
    }
  }

  @Test
  @Tag("slow")
  void r16_closedByAnotherThread_isEbadfWithinTwoSeconds(Pipe pipe) throws Exception {
    BlockingPolls kernel = new BlockingPolls();
    try (Scheduler s = Scheduler.builder().kernel(kernel).build()) {
      Elsewhere<Integer> closes = closesWhenBlocked(kernel, pipe.readFd());
      FiberBody wait = () -> Scheduler.ioWait(pipe.readFd(), READ, -1);
      Place.in(s, () -> assertToldInTime(wait, kernel, closes));
    }
  }

  /** Closes a descriptor when a poll blocks; the result is how many have done so until then. */
  private static Elsewhere<Integer> closesWhenBlocked(BlockingPolls kernel, int fd) {
    return Elsewhere.start(() -> {
      kernel.blocks.await();
      Fds.close(fd);
      return kernel.timeouts.size();
    });
  }

  /**
   * Waits for what the other thread closes, and checks for how long the kernel was asked to block
   * from then on: in the poll that was under way, and in those that came after it.
   */
  private static void assertToldInTime(
      FiberBody wait, BlockingPolls kernel, Elsewhere<Integer> closes) throws Exception {
    Throwable thrown = catchThrowable(wait::run);
    List<Long> timeouts = List.copyOf(kernel.timeouts);
    assertEbadf(thrown);
    List<Long> since = timeouts.stream().skip(closes.result() - 1).toList();
    assertThat(since).allMatch(nanos -> nanos > 0);
    long nanos = since.stream().mapToLong(Long::longValue).sum();
    assertThat(Duration.ofNanos(nanos)).isLessThanOrEqualTo(AT_MOST);
  }

  @Test
  @Tag("slow")
  void r16_closedByAnotherThread_endsAChannelOfThisOne(Pipe pipe) throws Exception {
    BlockingPolls kernel = new BlockingPolls();
    try (Scheduler s = Scheduler.builder().kernel(kernel).build();
        Logged quiet = new Logged()) {
      FdChannel channel = FdChannel.own(pipe.readFd());
      Fiber reader = s.spawn(() -> channel.read(ByteBuffer.allocate(1)));
      Elsewhere<Void> closes =
          Elsewhere.begin(() -> {
            kernel.blocks.await();
            channel.close(); // its scheduler is not that of the reader
          });
      s.run();
      closes.result();
      assertThat(reader.failure()).get().isInstanceOf(ClosedChannelException.class);
      assertThat(quiet.thrown()).hasSize(1);
    }
  }

  @Test
  @Tag("slow")
  void r16_closedDuringAWaitOutsideAFiber_isEbadfWithinTwoSeconds(Pipe pipe) throws Exception {
    BlockingPolls kernel = new BlockingPolls();
    Elsewhere<Integer> closes = closesWhenBlocked(kernel, pipe.readFd());
    BlockingWait outside = new BlockingWait(kernel, Clock.system()); // as Scheduler.ioWait makes it
    assertToldInTime(() -> outside.await(pipe.readFd(), READ, -1, null), kernel, closes);
  }

  @Test
  void r16_closedAndReusedUnderPoll_goesOnAsAWaitForTheNewFile(Pipe pipe, Pipe other) {
    try (Scheduler s = Scheduler.builder().poller(PollerKind.POLL).build()) {
      List<Integer> seen = new ArrayList<>();
      s.spawn(() -> seen.add(Scheduler.ioWait(pipe.readFd(), READ, -1)));
      s.runUntilEmpty();
      Opened.replace(pipe.readFd(), other.readFd());
      Fds.write(pipe.writeFd(), "x"); // nobody can read it any more
      s.runUntilEmpty();
      assertThat(seen).isEmpty();
      Fds.write(other.writeFd(), "x");
      s.run();
      assertThat(seen).containsExactly(READ);
      Fds.close(pipe.readFd()); // the number of another file now
    }
  }
}
