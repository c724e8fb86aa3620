package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.SocketPair;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Sock: requests, bodies, chunks. */
@FdTest
class SockFramingTest {
  private static final String ONE = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
  private static final String TWO = "GET /2 HTTP/1.1\r\nHost: b\r\n\r\n";

  static Object[][] everywhere() {
    return SockBytesTest.everywhere().map(a -> a.get()).toArray(Object[][]::new);
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void pipelinedRequests_comeTogetherAndNothingIsKept(SockBytesTest.Kind kind, Place place)
      throws Exception {
    try (Fds.Pair pair = kind.open()) {
      place.run(() -> {
        Sock.writeStr(pair.b(), ONE + TWO + "GET /3");
        assertThat(Sock.readRequest(pair.a())).asString().isEqualTo(ONE + TWO + "GET /3");
        Sock.writeStr(pair.b(), " HTTP/1.1\r\n\r\nbody\0");
        assertThat(Sock.readRequest(pair.a())).asString().isEqualTo(" HTTP/1.1\r\n\r\nbody\0");
        assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.OK);
        Sock.close(pair.b());
        assertThat(Sock.readRequest(pair.a())).isEmpty();
        assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.EOF);
      });
    }
  }

  @Test
  void headByteByByte_isReadToItsEnd(Scheduler s, SocketPair pair) throws Exception {
    Fiber reader = s.spawn(() -> assertThat(Sock.readRequest(pair.a())).asString().isEqualTo(ONE));
    for (byte b : ONE.getBytes(StandardCharsets.UTF_8)) {
      assertThat(reader.isAlive()).isTrue();
      s.runUntilEmpty();
      Fds.write(pair.b(), String.valueOf((char) b));
    }
    s.run();
    Place.rethrow(reader);
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void head_isAtMost64KiB(Place place) throws Exception {
    for (int length : new int[] {65_535, 65_536, 65_537, 100_000}) {
      byte[] head = new byte[length];
      Arrays.fill(head, (byte) 'x');
      System.arraycopy("\r\n\r\n".getBytes(StandardCharsets.UTF_8), 0, head, length - 4, 4);
      try (Fds.Pair pair = SockBytesTest.Kind.TCP.open()) {
        Elsewhere<Void> writer =
            Elsewhere.begin(() -> Sock.writeBytes(pair.b(), head, head.length));
        place.run(() -> {
          if (length <= 65_536) {
            assertThat(Sock.readRequest(pair.a())).isEqualTo(head);
          } else {
            assertThatThrownBy(() -> Sock.readRequest(pair.a()))
                .isInstanceOf(RequestTooLargeException.class);
          }
        });
        writer.result();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void endInsideAHead_isAnEofException(SockBytesTest.Kind kind, Place place) throws Exception {
    try (Fds.Pair pair = kind.open()) {
      Sock.writeStr(pair.b(), "GET / HT");
      Sock.close(pair.b());
      place.run(() ->
          assertThatThrownBy(() -> Sock.readRequest(pair.a()))
              .isInstanceOf(EOFException.class)
              .hasMessageContaining("8 bytes"));
    }
  }

  @Test
  void r20_cancelInsideAHead_tellsHowMuchWasRead(Scheduler s, SocketPair pair) {
    Fds.write(pair.b(), "GET / HT");
    int[] count = new int[1];
    Fiber reader =
        s.spawn(() ->
            count[0] =
                catchThrowableOfType(InterruptedIOException.class, () -> Sock.readRequest(pair.a()))
                    .bytesTransferred);
    s.runUntilEmpty();
    reader.cancel();
    s.run();
    assertThat(count[0]).isEqualTo(8);
    assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.WANT_READ);
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void drainBody_readsThatManyBytes(SockBytesTest.Kind kind, Place place) throws Exception {
    try (Fds.Pair pair = kind.open()) {
      place.run(() -> {
        Sock.writeStr(pair.b(), "0123\0ü789");
        assertThat(Sock.drainBody(pair.a(), 0)).isEmpty();
        assertThat(Sock.drainBody(pair.a(), 7)).asString().isEqualTo("0123\0ü");
        Sock.close(pair.b());
        assertThat(Sock.drainBody(pair.a(), 7)).asString().isEqualTo("789");
        assertThat(Sock.drainBody(pair.a(), 7)).isEmpty();
        assertThatThrownBy(() -> Sock.drainBody(pair.a(), -1))
            .isInstanceOf(IllegalArgumentException.class);
        assertThat(Sock.recvFrame(pair.a())).isEmpty();
      });
    }
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void chunksOfAnySize_areFramed(SockBytesTest.Kind kind, Place place) throws Exception {
    Random random = new Random(3);
    for (int size : new int[] {1, 15, 16, 17, 255, 4095, 4096, 65_535, 65_536, 200_001}) {
      byte[] data = new byte[size];
      random.nextBytes(data);
      ByteArrayOutputStream expected = new ByteArrayOutputStream();
      expected.writeBytes((Integer.toHexString(size) + "\r\n").getBytes(StandardCharsets.US_ASCII));
      expected.writeBytes(data);
      expected.writeBytes("\r\n3\r\n\0ü\r\n0\r\n\r\n".getBytes(StandardCharsets.UTF_8));
      try (Fds.Pair pair = kind.open()) {
        Elsewhere<byte[]> reader = Elsewhere.start(() -> Sock.recvAll(pair.a(), 0));
        place.run(() -> {
          Sock.writeChunk(pair.b(), "");
          Sock.writeChunk(pair.b(), data);
          Sock.writeChunk(pair.b(), new byte[0]);
          Sock.writeChunk(pair.b(), "\0ü");
          Sock.writeChunkEnd(pair.b());
          Sock.close(pair.b());
        });
        assertThat(Arrays.equals(reader.result(), expected.toByteArray())).isTrue();
      }
    }
  }

  @Test
  void chunkThatFits_isOneWrite(SocketPair pair) throws Exception {
    int[] sends = new int[1];
    Kernel counting =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public long send(int fd, MemorySegment buffer, long count, int flags) {
            sends[0]++;
            return super.send(fd, buffer, count, flags);
          }
        };
    try (Scheduler s = Scheduler.builder().kernel(counting).build()) {
      Place.in(s, () -> Sock.writeChunk(pair.b(), "0123456789"));
      assertThat(Fds.read(pair.a())).isEqualTo("a\r\n0123456789\r\n");
      assertThat(sends[0]).isEqualTo(1);
    }
  }
}
