package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.EpollEvents;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Pipe;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How an owning channel waits: by a registration that lasts, and before it reads or after. */
@FdTest
class ChannelWaitsTest {
  /** Counts the calls. */
  private static final class Counting extends ForwardingKernel {
    private int controls;
    private int deletions;
    private int vainReads;

    Counting() {
      super(Kernel.system());
    }

    void reset() {
      controls = 0;
      vainReads = 0;
    }

    @Override
    public int epollCtl(int epollFd, int operation, int fd, MemorySegment event) {
      controls++;
      deletions += operation == EpollEvents.EPOLL_CTL_DEL ? 1 : 0;
      return super.epollCtl(epollFd, operation, fd, event);
    }

    @Override
    public long read(int fd, MemorySegment buffer, long count) {
      long n = super.read(fd, buffer, count);
      vainReads += n == -Errno.EAGAIN ? 1 : 0;
      return n;
    }
  }

  private final Counting kernel = new Counting();

  /** One whose time stands still, so that no sweep mends what was missed. */
  private static Scheduler scheduler(PollerKind poller) {
    return Scheduler.builder().poller(poller).clock(new ManualClock()).build();
  }

  private static void echo(FdChannel in, FdChannel out) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(16);
    while (in.read(buffer.clear()) >= 0) {
      out.write(buffer.flip());
    }
  }

  @Test
  void requestAndAnswer_learnsToWaitFirst_andRegistersOnce(Pipe there, Pipe back) {
    try (Scheduler s = Scheduler.builder().poller(PollerKind.EPOLL).kernel(kernel).build()) {
      s.spawn(() -> {
        try (FdChannel in = FdChannel.own(there.readFd());
            FdChannel out = FdChannel.own(back.writeFd())) {
          echo(in, out);
        }
      });
      Fiber asks =
          s.spawn(() -> {
            ByteBuffer buffer = ByteBuffer.allocate(16);
            try (FdChannel in = FdChannel.own(back.readFd());
                FdChannel out = FdChannel.own(there.writeFd())) {
              for (int i = 0; i < 1_000; i++) {
                if (i == 200) {
                  kernel.reset();
                }
                out.write(ByteBuffer.wrap(new byte[] {1}));
                assertThat(in.read(buffer.clear())).isOne();
              }
              assertThat(kernel.controls).as("calls of epoll_ctl, the sweep's").isLessThan(100);
              assertThat(kernel.vainReads).isLessThan(1_600 / 20);
            }
          });
      s.run();
      assertThat(asks.failure()).isEmpty();
      assertThat(kernel.deletions).isEqualTo(2);
    }
  }

  @Test
  void aBusyStream_isReadFirst(Pipe pipe) {
    try (Scheduler s = Scheduler.builder().kernel(kernel).build()) {
      FdChannel in = FdChannel.own(pipe.readFd());
      Fiber reader =
          s.spawn(() -> {
            for (int i = 0; i < 500; i++) {
              Fds.write(pipe.writeFd(), "xx"); // before each read there is more
              assertThat(in.read(ByteBuffer.allocate(16))).isEqualTo(2);
            }
            in.close();
          });
      assertThat(s.runUntilEmpty()).as("it never suspends").isOne();
      assertThat(reader.failure()).isEmpty();
      assertThat(kernel.vainReads).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(PollerKind.class)
  void theEnd_isNotWaitedFor_howeverItComes(PollerKind poller) {
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      try (Scheduler s = scheduler(poller);
          Fds.Pair pair = Fds.socketPair();
          Fds.Pair pipe = Fds.pipe()) {
        List<Fiber> fibers = new ArrayList<>();
        for (int[] ends : new int[][] {{pair.a(), pair.b()}, {pipe.a(), pipe.b()}}) {
          FdChannel in = FdChannel.own(ends[0]);
          FdChannel out = FdChannel.own(ends[1]);
          int[] sent = new int[1];
          fibers.add(
              s.spawn(() -> {
                for (int i = 0; i < 300; i++) {
                  int count = 1 + random.nextInt(40);
                  out.write(ByteBuffer.allocate(count));
                  sent[0] += count;
                  if (random.nextInt(3) > 0) {
                    Scheduler.pause(0);
                  }
                }
                out.close();
              }));
          fibers.add(
              s.spawn(() -> {
                ByteBuffer buffer = ByteBuffer.allocate(32);
                int got = 0;
                for (int n; (n = in.read(buffer.clear())) >= 0; ) {
                  got += n;
                  if (random.nextInt(3) == 0) {
                    Scheduler.pause(0);
                  }
                }
                assertThat(got).isEqualTo(sent[0]);
                in.close();
              }));
        }
        s.run();
        assertThat(fibers).allMatch(f -> f.failure().isEmpty());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(PollerKind.class)
  void datagrams_areOneARead_andNoneIsWaitedForInVain(PollerKind poller) throws Exception {
    try (Scheduler s = scheduler(poller);
        Fds.Pair pair = Fds.datagramPair()) {
      FdChannel in = FdChannel.own(pair.a());
      Fiber reader =
          s.spawn(() -> {
            for (int i = 0; i < 400; i++) {
              if (i % 4 == 0) {
                for (int k = 0; k < 4; k++) {
                  Fds.write(pair.b(), "x");
                }
              }
              assertThat(in.read(ByteBuffer.allocate(16))).isOne();
            }
            in.close();
          });
      s.run();
      assertThat(reader.failure()).isEmpty();
    }
  }

  @Test
  void aChannelUsedInTwoSchedulers_waitsInBoth(Pipe pipe) throws Exception {
    try (Scheduler s = Scheduler.builder().poller(PollerKind.EPOLL).build();
        Scheduler t = Scheduler.builder().poller(PollerKind.EPOLL).build()) {
      FdChannel in = FdChannel.own(pipe.readFd());
      for (Scheduler next : List.of(s, t, s, t, t, s)) {
        Fiber reader = next.spawn(() -> in.read(ByteBuffer.allocate(16)));
        next.runUntilEmpty();
        Fds.write(pipe.writeFd(), "x");
        next.runUntilEmpty();
        assertThat(reader.state()).isEqualTo(Fiber.State.DONE);
        assertThat(reader.failure()).isEmpty();
      }
      in.close();
    }
  }

  @Test
  void closedByItsScheduler_endsTheWait(Pipe pipe) {
    try (Scheduler s = Scheduler.builder().poller(PollerKind.EPOLL).kernel(kernel).build()) {
      FdChannel in = FdChannel.own(pipe.readFd());
      Fiber reader =
          s.spawn(() -> {
            try {
              in.read(ByteBuffer.allocate(16));
              throw new AssertionError("nothing was written");
            } catch (ClosedChannelException expected) {
              Scheduler.pause(0);
            }
          });
      s.runUntilEmpty();
      s.spawn(in::close);
      s.run();
      assertThat(reader.failure()).isEmpty();
      assertThat(kernel.deletions).isOne();
    }
  }
}
