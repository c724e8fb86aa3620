package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static dev.fdfiber.Scheduler.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Waits allocate nothing of ours. What the driver allocates is counted by the JVM, for its fibers
 * too, and compared with what the JDK itself needs for a virtual thread's yield. In a JVM of its
 * own: code that an agent has changed, or that other tests have run in all ways, is compiled in
 * another way.
 */
@FdTest(limitSeconds = 300)
@Tag("slow")
class AllocationTest {
  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource(PollerKind.class)
  void pausesWaitsAndChannels(PollerKind poller) throws Exception {
    ChildJvm jvm = new ChildJvm(ChildJvm.FIBER_FLAGS);
    ChildJvm.Result result = jvm.run(directory, Program.class.getName(), poller.name());
    assertThat(result.errors()).isEmpty();
    assertThat(result.status()).isZero();
    assertThat(result.out()).isEqualTo("pauses waits channels ");
  }

  /** What the other JVM runs. */
  static final class Program {
    private Program() {}

    /** Measures with the poller that is named. */
    public static void main(String[] words) {
      PollerKind poller = PollerKind.valueOf(words[0]);
      pauses(poller);
      System.out.print("pauses ");
      waits(poller);
      System.out.print("waits ");
      channels(poller);
      System.out.print("channels ");
    }
  }

  private static final int CALLS = 2_000;
  private static final int MOST_ROUNDS = 500; // until the JIT compiler is done
  private static final double SMALLEST_OBJECT = 16;

  /** The JDK makes a slice for each downcall that captures errno; the JIT may not leave it out. */
  private static final double SEGMENT = 32;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static volatile Object sink;

  /** The bytes that one of many calls in a fiber takes, in the round that takes least. */
  private static double bytesOf(PollerKind poller, double enough, FiberBody call) {
    double least = Double.MAX_VALUE;
    try (Scheduler s = Scheduler.builder().poller(poller).build()) {
      s.spawn(() -> {
        while (true) {
          for (int i = 0; i < CALLS; i++) {
            call.run();
          }
          s.stop();
          Scheduler.pause(0);
        }
      });
      for (int i = 0; i < MOST_ROUNDS && least >= enough; i++) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        s.run();
        long after = THREADS.getCurrentThreadAllocatedBytes();
        least = Math.min(least, (after - before) / (double) CALLS);
      }
    }
    return least;
  }

  private static void allocatesNothing(PollerKind poller, FiberBody call) {
    double jdks = bytesOf(poller, SMALLEST_OBJECT / 4, Thread::yield);
    double enough = jdks + SMALLEST_OBJECT / 2;
    double ours = bytesOf(poller, enough, call);
    assertThat(ours % SEGMENT).as("of %s bytes of each call", ours).isLessThan(enough);
    double withOne =
        bytesOf(
            poller,
            enough,
            () -> {
              call.run();
              sink = new Object();
            });
    assertThat(withOne).as("one more object would be seen").isGreaterThanOrEqualTo(enough);
  }

  private static void pauses(PollerKind poller) {
    allocatesNothing(poller, () -> Scheduler.pause(0));
    allocatesNothing(poller, () -> Scheduler.pause(0.000_000_1));
  }

  private static void waits(PollerKind poller) {
    try (Fds.Pair pair = Fds.socketPair()) {
      allocatesNothing(poller, () -> Scheduler.ioWait(pair.a(), WRITE, -1));
      allocatesNothing(poller, () -> Scheduler.ioWait(pair.a(), READ, 0));
    }
  }

  private static void channels(PollerKind poller) {
    Fds.Pair pipe = Fds.pipe();
    FdChannel in = FdChannel.own(pipe.a());
    FdChannel out = FdChannel.own(pipe.b());
    ByteBuffer buffer = ByteBuffer.allocateDirect(16);
    allocatesNothing(
        poller,
        () -> {
          out.write(buffer.clear().limit(1));
          in.read(buffer.clear());
        });
    pipe.close();
  }
}
