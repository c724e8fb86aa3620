package dev.fdfiber.bench;

import dev.fdfiber.FdChannel;
import dev.fdfiber.Fiber;
import dev.fdfiber.FiberBody;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@link Ready} by fibers, in the two ways that they have to wait; the driver writes. The fibers
 * are new ones in each iteration, see {@link Ready}.
 */
public final class ReadyFibers {
  private ReadyFibers() {}

  /** What both ways share. */
  @State(Scope.Thread)
  public abstract static class Base {
    @Param(Fibers.DEFAULT)
    public String poller;

    private final List<Fiber> readers = new ArrayList<>();
    Scheduler scheduler;
    private int missing;

    abstract void open(int i, Pipes.Fds pipe);

    abstract FiberBody reader(int i);

    abstract void send(int i) throws IOException;

    @Setup
    public void open() {
      scheduler = Fibers.scheduler(poller);
      for (int i = 0; i < Ready.PIPES; i++) {
        open(i, Pipes.Fds.open());
      }
    }

    @Setup(Level.Iteration)
    public void start() {
      for (int i = 0; i < Ready.PIPES; i++) {
        readers.add(scheduler.spawn(reader(i)));
      }
      scheduler.runUntilEmpty();
    }

    @TearDown(Level.Iteration)
    public void end() {
      readers.forEach(Fiber::cancel);
      readers.clear();
      scheduler.run();
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
    private final Pipes.Fds[] pipes = new Pipes.Fds[Ready.PIPES];

    @Override
    void open(int i, Pipes.Fds pipe) {
      pipes[i] = pipe;
    }

    @Override
    FiberBody reader(int i) {
      int fd = pipes[i].readFd();
      return () -> {
        while (true) {
          Scheduler.ioWait(fd, Scheduler.READ, -1);
          got(kernel.read(fd, buffer, Pipes.ROOM));
        }
      };
    }

    @Override
    void send(int i) {
      if (kernel.write(pipes[i].writeFd(), buffer, 1) != 1) {
        throw new IllegalStateException("a pipe is full");
      }
    }
  }

  /** {@code FdChannel.own}. */
  public static class ByChannel extends Base {
    private final ByteBuffer out = ByteBuffer.allocateDirect(1);
    private final FdChannel[] readers = new FdChannel[Ready.PIPES];
    private final FdChannel[] writers = new FdChannel[Ready.PIPES];

    @Override
    void open(int i, Pipes.Fds pipe) {
      readers[i] = FdChannel.own(pipe.readFd());
      writers[i] = FdChannel.own(pipe.writeFd());
    }

    @Override
    FiberBody reader(int i) {
      FdChannel channel = readers[i];
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
