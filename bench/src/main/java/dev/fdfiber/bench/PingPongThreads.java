package dev.fdfiber.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.List;
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

/** {@link PingPong} by the JDK's virtual threads and pipes that block. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PingPongThreads {
  @Param("0")
  public int idle;

  private static final int TRIPS = 2_000; // so that starting and joining a thread is nothing

  private final List<Thread> idleThreads = new ArrayList<>(); // which nobody else refers to
  private Pipe there;
  private Pipe back;

  @Setup
  public void start() throws IOException, InterruptedException {
    for (int i = 0; i < idle; i++) {
      Pipe pipe = Pipe.open();
      idleThreads.add(Thread.startVirtualThread(() -> read(pipe, ByteBuffer.allocateDirect(1))));
    }
    for (Thread thread : idleThreads) {
      while (thread.getState() != Thread.State.WAITING) {
        Thread.sleep(1);
      }
    }
    there = Pipe.open();
    back = Pipe.open();
    idleThreads.add(
        Thread.startVirtualThread(() -> {
          ByteBuffer buffer = ByteBuffer.allocateDirect(Pipes.ROOM);
          while (true) {
            read(there, buffer);
            write(back, buffer);
          }
        }));
  }

  @Benchmark
  @OperationsPerInvocation(TRIPS)
  public void trips() throws InterruptedException {
    Thread player =
        Thread.startVirtualThread(() -> {
          ByteBuffer buffer = ByteBuffer.allocateDirect(Pipes.ROOM);
          for (int i = 0; i < TRIPS; i++) {
            write(there, buffer);
            read(back, buffer);
          }
        });
    player.join();
  }

  private static void read(Pipe pipe, ByteBuffer buffer) {
    try {
      if (pipe.source().read(buffer.clear()) != 1) {
        throw new IllegalStateException("a byte is missing");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void write(Pipe pipe, ByteBuffer buffer) {
    try {
      pipe.sink().write(buffer.clear().limit(1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
