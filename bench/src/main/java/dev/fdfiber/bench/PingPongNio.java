package dev.fdfiber.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
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

/** {@link PingPong} by callbacks of a NIO Selector: it waits first, by a lasting registration. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PingPongNio {
  @Param("0")
  public int idle;

  private final ByteBuffer buffer = ByteBuffer.allocateDirect(Pipes.ROOM);
  private Selector selector;
  private Pipe.SinkChannel first;
  private int trips;

  @Setup
  public void start() throws IOException {
    selector = Selector.open();
    for (int i = 0; i < idle; i++) {
      Pipe pipe = Pipe.open();
      register(pipe, () -> read(pipe.source()));
    }
    Pipe there = Pipe.open();
    Pipe back = Pipe.open();
    first = there.sink();
    register(
        there,
        () -> {
          read(there.source());
          write(back.sink());
        });
    register(
        back,
        () -> {
          read(back.source());
          if (++trips < PingPong.TRIPS) {
            write(first);
          }
        });
  }

  private void register(Pipe pipe, Runnable callback) throws IOException {
    pipe.source().configureBlocking(false);
    pipe.sink().configureBlocking(false);
    pipe.source().register(selector, SelectionKey.OP_READ, callback);
  }

  @Benchmark
  @OperationsPerInvocation(PingPong.TRIPS)
  public void trips() throws IOException {
    trips = 0;
    write(first);
    while (trips < PingPong.TRIPS) {
      selector.select(PingPongNio::call);
    }
  }

  private static void call(SelectionKey key) {
    ((Runnable) key.attachment()).run();
  }

  private void read(Pipe.SourceChannel source) {
    try {
      if (source.read(buffer.clear()) != 1) {
        throw new IllegalStateException("a byte is missing");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void write(Pipe.SinkChannel sink) {
    try {
      sink.write(buffer.clear().limit(1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
