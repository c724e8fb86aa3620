package dev.fdfiber.bench;

import dev.fdfiber.FdChannel;
import dev.fdfiber.FiberBody;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** {@link PingPong} by fibers, in the two ways that they have to wait. */
public final class PingPongFibers {
  private PingPongFibers() {}

  /** What both ways share. */
  @State(Scope.Thread)
  public abstract static class Base {
    @Param("0")
    public int idle;

    @Param(Fibers.DEFAULT)
    public String poller;

    private Scheduler scheduler;

    /** The scheduler is there, and nothing has run yet. */
    void made(Scheduler scheduler) throws Exception {}

    abstract FiberBody idle(Pipes.Fds pipe);

    /** Sends a byte to {@code to} and gets one from {@code from}, or the other way round. */
    abstract FiberBody player(Pipes.Fds to, Pipes.Fds from, boolean begins, Runnable afterTrip);

    @Setup
    public void start() throws Exception {
      scheduler = Fibers.scheduler(poller);
      made(scheduler);
      for (int i = 0; i < idle; i++) {
        scheduler.spawn(idle(Pipes.Fds.open()));
      }
      scheduler.runUntilEmpty();
      Pipes.Fds there = Pipes.Fds.open();
      Pipes.Fds back = Pipes.Fds.open();
      scheduler.spawn(player(back, there, false, () -> {}));
      scheduler.spawn(player(there, back, true, new Stopper(scheduler)));
    }

    @Benchmark
    @OperationsPerInvocation(PingPong.TRIPS)
    @BenchmarkMode(Mode.AverageTime)
    @OutputTimeUnit(TimeUnit.NANOSECONDS)
    public void trips() {
      scheduler.run();
    }
  }

  /** Gives the driver a rest after so many trips. */
  private static final class Stopper implements Runnable {
    private final Scheduler scheduler;
    private int trips;

    Stopper(Scheduler scheduler) {
      this.scheduler = scheduler;
    }

    @Override
    public void run() {
      if (++trips == PingPong.TRIPS) {
        trips = 0;
        scheduler.stop();
      }
    }
  }

  /** {@code Scheduler.ioWait}, then read(2): no registration lasts. */
  public static class ByIoWait extends Base {
    private final Kernel kernel = Kernel.system();
    private final MemorySegment buffer = Arena.global().allocate(Pipes.ROOM);

    @Override
    FiberBody idle(Pipes.Fds pipe) {
      return () -> Scheduler.ioWait(pipe.readFd(), Scheduler.READ, -1);
    }

    @Override
    FiberBody player(Pipes.Fds to, Pipes.Fds from, boolean begins, Runnable afterTrip) {
      return () -> {
        if (begins) {
          send(to.writeFd());
        }
        while (true) {
          Scheduler.ioWait(from.readFd(), Scheduler.READ, -1);
          require(kernel.read(from.readFd(), buffer, Pipes.ROOM));
          afterTrip.run();
          send(to.writeFd());
        }
      };
    }

    private void send(int fd) {
      require(kernel.write(fd, buffer, 1));
    }

    private static void require(long result) {
      if (result != 1) {
        throw new IllegalStateException("a byte is missing: " + result);
      }
    }
  }

  /** {@code FdChannel.own}: may register once and for all. */
  public static class ByChannel extends Base {
    @Override
    FiberBody idle(Pipes.Fds pipe) {
      FdChannel channel = FdChannel.own(pipe.readFd());
      return () -> channel.read(ByteBuffer.allocateDirect(1));
    }

    @Override
    FiberBody player(Pipes.Fds to, Pipes.Fds from, boolean begins, Runnable afterTrip) {
      FdChannel out = FdChannel.own(to.writeFd());
      FdChannel in = FdChannel.own(from.readFd());
      ByteBuffer buffer = ByteBuffer.allocateDirect(Pipes.ROOM);
      return () -> {
        if (begins) {
          send(out, buffer);
        }
        while (true) {
          buffer.clear();
          if (in.read(buffer) != 1) {
            throw new IllegalStateException("a byte is missing");
          }
          afterTrip.run();
          send(out, buffer);
        }
      };
    }

    private static void send(FdChannel out, ByteBuffer buffer) throws IOException {
      out.write(buffer.clear().limit(1));
    }
  }
}
