package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.SocketPair;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Long writes through channels: whole, and when cancelled, with the right count. */
@FdTest
class ChannelTransferTest {
  private static final int SIZE = 8 << 20;

  private static long checksum(ByteBuffer bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    return crc.getValue();
  }

  private static ByteBuffer random(boolean direct) {
    byte[] bytes = new byte[SIZE];
    new Random(7).nextBytes(bytes);
    return direct ? ByteBuffer.allocateDirect(SIZE).put(bytes).flip() : ByteBuffer.wrap(bytes);
  }

  static Stream<Arguments> transfers() {
    return Stream.of("pipe", "blocking pipe", "sockets", "blocking sockets")
        .flatMap(kind ->
            Stream.of(true, false)
                .flatMap(owned ->
                    Stream.of(true, false).map(direct -> Arguments.of(kind, owned, direct))));
  }

  private static Fds.Pair pair(String kind) {
    return switch (kind) {
      case "pipe" -> Fds.pipe();
      case "blocking pipe" -> Fds.blockingPipe();
      case "sockets" -> Fds.socketPair();
      default -> Fds.blockingSocketPair();
    };
  }

  @ParameterizedTest
  @MethodSource("transfers")
  @Tag("slow")
  void eightMegabytesToASlowReader_arriveWhole(
      String kind, boolean owned, boolean direct, Scheduler s) {
    ByteBuffer data = random(direct);
    long expected = checksum(data.duplicate());
    Fds.Pair pair = pair(kind);
    Fiber writer =
        s.spawn(() -> {
          try (FdChannel out = owned ? FdChannel.own(pair.b()) : FdChannel.borrow(pair.b())) {
            assertThat(out.write(data)).isEqualTo(SIZE);
          }
          Fds.closeQuietly(pair.b());
        });
    ByteBuffer all = ByteBuffer.allocate(SIZE + 1);
    Fiber reader =
        s.spawn(() -> {
          try (FdChannel in = owned ? FdChannel.own(pair.a()) : FdChannel.borrow(pair.a())) {
            ByteBuffer some = ByteBuffer.allocate(30_011); // slow: not all that is there
            while (in.read(some) >= 0) {
              all.put(some.flip());
              some.clear();
              Scheduler.pause(0);
            }
          }
        });
    s.run();
    assertThat(writer.failure()).isEmpty();
    assertThat(reader.failure()).isEmpty();
    assertThat(all.position()).isEqualTo(SIZE);
    assertThat(checksum(all.flip())).isEqualTo(expected);
    pair.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"pipe", "blocking pipe", "sockets", "blocking sockets"})
  void r20_cancelledWrite_tellsHowMuchWasDone(String kind, Scheduler s) throws Exception {
    ByteBuffer data = random(false);
    List<InterruptedIOException> caught = new ArrayList<>();
    try (Fds.Pair pair = pair(kind)) {
      Fiber writer =
          s.spawn(() -> {
            try (FdChannel out = FdChannel.borrow(pair.b())) {
              caught.add(catchThrowableOfType(InterruptedIOException.class, () -> out.write(data)));
              assertThat(out.isOpen()).isTrue();
              assertThat(Thread.currentThread().isInterrupted()).isTrue();
            }
          });
      s.runUntilEmpty();
      assertThat(data.position()).isPositive().isLessThan(SIZE);
      writer.cancel();
      s.runUntilEmpty();
      assertThat(writer.failure()).isEmpty();
      assertThat(caught).hasSize(1);
      int count = caught.getFirst().bytesTransferred;
      assertThat(count).isEqualTo(data.position()).isPositive();
      assertThat(drained(pair.a(), count)).isEqualTo(count);
      assertThat(s.anyIoWaiter()).isFalse();
    }
  }

  /** How many bytes there are to read, of which at least {@code least}. */
  private static int drained(int fd, int least) throws IOException {
    int total = 0;
    ByteBuffer some = ByteBuffer.allocate(65_536);
    FdChannel in = FdChannel.borrow(fd);
    while (total < least) {
      total += in.read(some.clear());
    }
    assertThat(in.read(some.clear(), Duration.ZERO)).isZero();
    in.close();
    return total;
  }

  @Test
  void r20_cancelledGatheringWrite_countsAllItsBuffers(Scheduler s, SocketPair pair) {
    ByteBuffer[] data = {
      ByteBuffer.allocate(10), ByteBuffer.allocate(20), ByteBuffer.allocate(SIZE)
    };
    List<Integer> counts = new ArrayList<>();
    Fiber writer =
        s.spawn(() -> {
          FdChannel out = FdChannel.borrow(pair.b());
          counts.add(
              catchThrowableOfType(InterruptedIOException.class, () -> out.write(data))
                  .bytesTransferred);
        });
    s.runUntilEmpty();
    writer.cancel();
    s.runUntilEmpty();
    assertThat(writer.failure()).isEmpty();
    assertThat(counts).containsExactly(30 + data[2].position());
  }

  @Test
  void r20_scatteringReadOfACancelledFiber_handsOverWhatIsThere(Scheduler s, Pipe pipe) {
    List<String> seen = new ArrayList<>();
    Fds.write(pipe.writeFd(), "1234");
    Fiber reader =
        s.spawn(() -> {
          Fiber.current().cancel();
          FdChannel in = FdChannel.borrow(pipe.readFd());
          ByteBuffer[] to = {ByteBuffer.allocate(4), ByteBuffer.allocate(4)};
          seen.add("read " + in.read(to));
          seen.add("status " + Thread.currentThread().isInterrupted());
          InterruptedIOException e =
              catchThrowableOfType(
                  InterruptedIOException.class, () -> in.read(ByteBuffer.allocate(1)));
          seen.add("then " + e.bytesTransferred);
        });
    s.run();
    assertThat(reader.failure()).isEmpty();
    assertThat(seen).containsExactly("read 4", "status true", "then 0");
  }

  @Test
  void scatteringReadBeforeAnError_handsOverWhatIsThere(Pipe pipe) throws Exception {
    Fds.write(pipe.writeFd(), "1234");
    Fds.close(pipe.writeFd());
    FdChannel in = FdChannel.borrow(pipe.readFd());
    ByteBuffer[] to = {ByteBuffer.allocate(4), ByteBuffer.allocate(4)};
    assertThat(in.read(to)).isEqualTo(4);
    assertThat(in.read(ByteBuffer.allocate(1))).isEqualTo(-1);
  }

  @Test
  void readersAndWritersOfOneChannel_doNotMeet(Scheduler s, SocketPair pair) {
    List<String> seen = new ArrayList<>();
    Fds.fill(pair.a());
    FdChannel channel = FdChannel.borrow(pair.a());
    s.spawn(() -> seen.add("read " + channel.read(ByteBuffer.allocate(1))));
    s.spawn(() -> seen.add("written " + channel.write(ByteBuffer.allocate(1))));
    s.runUntilEmpty();
    Fds.write(pair.b(), "x");
    s.runUntilEmpty();
    assertThat(seen).containsExactly("read 1");
    while (Fds.read(pair.b()) != null) {
      s.runUntilEmpty();
    }
    s.run();
    assertThat(seen).containsExactly("read 1", "written 1");
  }
}
