package dev.fdfiber.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** {@link Ready} by callbacks of a NIO Selector. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ReadyNio {
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(Pipes.ROOM);
  private final Pipe.SinkChannel[] writers = new Pipe.SinkChannel[Ready.PIPES];
  private final Consumer<SelectionKey> read = this::read;
  private Selector selector;

  @Setup
  public void start() throws IOException {
    selector = Selector.open();
    for (int i = 0; i < Ready.PIPES; i++) {
      Pipe pipe = Pipe.open();
      pipe.source().configureBlocking(false);
      pipe.sink().configureBlocking(false);
      pipe.source().register(selector, SelectionKey.OP_READ);
      writers[i] = pipe.sink();
    }
  }

  @Benchmark
  @OperationsPerInvocation(Ready.PIPES)
  public void wakeUps() throws IOException {
    for (Pipe.SinkChannel writer : writers) {
      writer.write(buffer.clear().limit(1));
    }
    for (int missing = Ready.PIPES; missing > 0; ) {
      missing -= selector.select(read);
    }
  }

  private void read(SelectionKey key) {
    try {
      if (((Pipe.SourceChannel) key.channel()).read(buffer.clear()) != 1) {
        throw new IllegalStateException("a byte is missing");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
