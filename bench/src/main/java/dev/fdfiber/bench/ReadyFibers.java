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

/** {@link Ready} by fibers, in the two ways that they have to wait; the driver writes. */
public final class ReadyFibers {
  private ReadyFibers() {}

  /** What both ways share. */
  @State(Scope.Thread)
  public abstract static class Base {
    @Param(Fibers.DEFAULT)
    public String poller;

    Scheduler scheduler;
    private int missing;

    abstract FiberBody reader(int i, Pipes.Fds pipe);

    abstract void send(int i) throws IOException;

    @Setup
    public void start() {
      scheduler = Fibers.scheduler(poller);
      for (int i = 0; i < Ready.PIPES; i++) {
        scheduler.spawn(reader(i, Pipes.Fds.open()));
      }
      scheduler.runUntilEmpty();
    }

    final void got(long n) {
      if (n != 1) {
        throw new IllegalStateException("a byte is missing: " + n);
      }
      if (--missing == 0) {
        scheduler.stop();
      }
    }

    @Benchmark
    @OperationsPerInvocation(Ready.PIPES)
    @BenchmarkMode(Mode.AverageTime)
    @OutputTimeUnit(TimeUnit.NANOSECONDS)
    public void wakeUps() throws IOException {
      missing = Ready.PIPES;
      for (int i = 0; i < Ready.PIPES; i++) {
        send(i);
      }
      scheduler.run();
    }
  }

  /** {@code Scheduler.ioWait}, then read(2). */
  public static class ByIoWait extends Base {
    private final Kernel kernel = Kernel.system();
    private final MemorySegment buffer = Arena.global().allocate(Pipes.ROOM);
    private final int[] writeFds = new int[Ready.PIPES];

    @Override
    FiberBody reader(int i, Pipes.Fds pipe) {
      writeFds[i] = pipe.writeFd();
      return () -> {
        while (true) {
          Scheduler.ioWait(pipe.readFd(), Scheduler.READ, -1);
          got(kernel.read(pipe.readFd(), buffer, Pipes.ROOM));
        }
      };
    }

    @Override
    void send(int i) {
      if (kernel.write(writeFds[i], buffer, 1) != 1) {
        throw new IllegalStateException("a pipe is full");
      }
    }
  }

  /** {@code FdChannel.own}. */
  public static class ByChannel extends Base {
    private final ByteBuffer out = ByteBuffer.allocateDirect(1);
    private final FdChannel[] writers = new FdChannel[Ready.PIPES];

    @Override
    FiberBody reader(int i, Pipes.Fds pipe) {
      writers[i] = FdChannel.own(pipe.writeFd());
      FdChannel channel = FdChannel.own(pipe.readFd());
      ByteBuffer in = ByteBuffer.allocateDirect(Pipes.ROOM);
      return () -> {
        while (true) {
          got(channel.read(in.clear()));
        }
      };
    }

    @Override
    void send(int i) throws IOException {
      writers[i].write(out.clear());
    }
  }
}
