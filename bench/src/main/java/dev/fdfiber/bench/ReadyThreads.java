package dev.fdfiber.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@link Ready} by the JDK's virtual threads, one of which writes. They are new ones in each
 * iteration, see {@link Ready}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ReadyThreads {
  private static final byte GO_ON = 0;
  private static final byte END = 1;

  private final List<Thread> readers = new ArrayList<>();
  private final List<Pipe> pipes = new ArrayList<>();
  private final AtomicInteger missing = new AtomicInteger();
  private final Semaphore all = new Semaphore(0);

  @Setup
  public void open() throws IOException {
    for (int i = 0; i < Ready.PIPES; i++) {
      pipes.add(Pipe.open());
    }
  }

  @Setup(Level.Iteration)
  public void start() throws InterruptedException {
    for (Pipe pipe : pipes) {
      readers.add(Thread.startVirtualThread(() -> readAll(pipe)));
    }
    for (Thread reader : readers) {
      while (reader.getState() != Thread.State.WAITING) {
        Thread.sleep(1);
      }
    }
  }

  @TearDown(Level.Iteration)
  public void end() throws InterruptedException {
    writeAll(END);
    for (Thread reader : readers) {
      reader.join();
    }
    readers.clear();
  }

  private void readAll(Pipe pipe) {
    ByteBuffer in = ByteBuffer.allocateDirect(Pipes.ROOM);
    try {
      while (pipe.source().read(in.clear()) == 1 && in.get(0) == GO_ON) {
        if (missing.decrementAndGet() == 0) {
          all.release();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Benchmark
  @OperationsPerInvocation(Ready.PIPES)
  public void wakeUps() throws InterruptedException {
    missing.set(Ready.PIPES);
    Thread.startVirtualThread(() -> writeAll(GO_ON));
    all.acquire();
  }

  private void writeAll(byte what) {
    ByteBuffer out = ByteBuffer.allocateDirect(1).put(0, what);
    try {
      for (Pipe pipe : pipes) {
        pipe.sink().write(out.clear());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
