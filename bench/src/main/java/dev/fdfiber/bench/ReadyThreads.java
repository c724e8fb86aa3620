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
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** {@link Ready} by the JDK's virtual threads, one of which writes. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ReadyThreads {
  private final List<Thread> readers = new ArrayList<>();
  private final List<Pipe> pipes = new ArrayList<>();
  private final AtomicInteger missing = new AtomicInteger();
  private final Semaphore all = new Semaphore(0);

  @Setup
  public void start() throws IOException, InterruptedException {
    for (int i = 0; i < Ready.PIPES; i++) {
      Pipe pipe = Pipe.open();
      pipes.add(pipe);
      readers.add(Thread.startVirtualThread(() -> readAll(pipe)));
    }
    for (Thread reader : readers) {
      while (reader.getState() != Thread.State.WAITING) {
        Thread.sleep(1);
      }
    }
  }

  private void readAll(Pipe pipe) {
    ByteBuffer in = ByteBuffer.allocateDirect(Pipes.ROOM);
    try {
      while (pipe.source().read(in.clear()) == 1) {
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
    Thread.startVirtualThread(this::writeAll);
    all.acquire();
  }

  private void writeAll() {
    ByteBuffer out = ByteBuffer.allocateDirect(1);
    try {
      for (Pipe pipe : pipes) {
        pipe.sink().write(out.clear());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
