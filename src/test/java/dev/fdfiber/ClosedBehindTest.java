package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

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
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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

  /** A kernel that tells when a poll is about to block. */
  private static Kernel signals(CountDownLatch blocks) {
    return new ForwardingKernel(Kernel.system()) {
      @Override
      protected int look(long timeoutNanos, Look next) {
        if (timeoutNanos != 0) {
          blocks.countDown();
        }
        return super.look(timeoutNanos, next);
      }
    };
  }

  @Test
  @Tag("slow")
  void r16_closedByAnotherThread_isEbadfWithinTwoSeconds(Pipe pipe) throws Exception {
    CountDownLatch blocks = new CountDownLatch(1);
    try (Scheduler s = Scheduler.builder().kernel(signals(blocks)).build()) {
      long[] closedAt = new long[1];
      Thread other = closesWhen(blocks, pipe.readFd(), closedAt);
      Place.in(s, () -> assertWokenInTime(pipe.readFd(), other, closedAt));
    }
  }

  /** Waits for what the other thread closes, and checks how soon after that it was told. */
  private static void assertWokenInTime(int fd, Thread other, long[] closedAt)
      throws InterruptedException {
    IOException e = null;
    try {
      Scheduler.ioWait(fd, READ, -1);
    } catch (IOException thrown) {
      e = thrown;
    }
    long woken = System.nanoTime();
    assertEbadf(e);
    other.join();
    assertThat(Duration.ofNanos(woken - closedAt[0])).isLessThanOrEqualTo(AT_MOST);
  }

  private static Thread closesWhen(CountDownLatch blocks, int fd, long[] closedAt) {
    return Thread.ofPlatform()
        .start(() -> {
          await(blocks);
          Fds.close(fd);
          closedAt[0] = System.nanoTime();
        });
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  @Tag("slow")
  void r16_closedByAnotherThread_endsAChannelOfThisOne(Pipe pipe) throws Exception {
    CountDownLatch blocks = new CountDownLatch(1);
    try (Scheduler s = Scheduler.builder().kernel(signals(blocks)).build();
        Logged quiet = new Logged()) {
      FdChannel channel = FdChannel.own(pipe.readFd());
      Fiber reader = s.spawn(() -> channel.read(ByteBuffer.allocate(1)));
      Thread other =
          Thread.ofPlatform()
              .start(() -> {
                await(blocks);
                try {
                  channel.close(); // its scheduler is not that of the reader
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      s.run();
      other.join();
      assertThat(reader.failure()).get().isInstanceOf(ClosedChannelException.class);
      assertThat(quiet.thrown()).hasSize(1);
    }
  }

  @Test
  @Tag("slow")
  void r16_closedDuringAWaitOutsideAFiber_isEbadfWithinTwoSeconds(Pipe pipe) throws Exception {
    Thread me = Thread.currentThread();
    long[] closedAt = new long[1];
    Thread other =
        Thread.ofPlatform()
            .start(() -> {
              Elsewhere.awaitIn("ppoll", me);
              Fds.close(pipe.readFd());
              closedAt[0] = System.nanoTime();
            });
    assertWokenInTime(pipe.readFd(), other, closedAt);
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
