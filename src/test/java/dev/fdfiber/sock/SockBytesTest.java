package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.SocketPair;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sock: the bytes. Everything holds for sockets and pipes, whether their description blocks or not,
 * and over TLS.
 */
@FdTest
class SockBytesTest {
  /** {@code a} reads what {@code b} writes. */
  @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
  enum Kind {
    SOCKETS(Fds::socketPair),
    BLOCKING_SOCKETS(Fds::blockingSocketPair),
    PIPE(Fds::pipe),
    BLOCKING_PIPE(Fds::blockingPipe),
    TCP(Kind::tcp),
    TLS(TlsPair::open);

    private final Supplier<Fds.Pair> opener;

    Kind(Supplier<Fds.Pair> opener) {
      this.opener = opener;
    }

    Fds.Pair open() {
      return opener.get();
    }

    private static Fds.Pair tcp() {
      try {
        int listener = Sock.listen(0, false);
        int a = Sock.connect("127.0.0.1", Sock.localPort(listener));
        int b = Sock.accept(listener);
        Sock.close(listener);
        return new Fds.Pair(a, b);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  static Stream<Arguments> everywhere() {
    return Stream.of(Kind.values())
        .flatMap(kind -> Stream.of(Place.values()).map(place -> Arguments.of(kind, place)));
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void bytes_areNeverCutOrTranslated(Kind kind, Place place) throws Exception {
    try (Fds.Pair pair = kind.open()) {
      String text = "a\0b\0 Grüße, 世界, 🙂 \r\n\0";
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      byte[] all = new byte[256];
      for (int i = 0; i < all.length; i++) {
        all[i] = (byte) i;
      }
      place.run(() -> {
        Sock.writeStr(pair.b(), text);
        assertThat(Sock.recvSome(pair.a(), 0)).isEqualTo(utf8);
        Sock.writeBytes(pair.b(), all, 256);
        assertThat(Sock.recvSome(pair.a(), 1000)).isEqualTo(all);
        Sock.writeBytes(pair.b(), all, 3);
        assertThat(Sock.recvSome(pair.a(), 0)).containsExactly(0, 1, 2);
        Sock.writeBytes(pair.b(), all, 0);
        Sock.writeStr(pair.b(), "");
        Sock.writeStr(pair.b(), "end");
        assertThat(Sock.recvSome(pair.a(), 0)).asString().isEqualTo("end");
      });
    }
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void recv_honoursItsLimits(Kind kind, Place place) throws Exception {
    try (Fds.Pair pair = kind.open()) {
      place.run(() -> {
        Sock.writeStr(pair.b(), "0123456789");
        assertThat(Sock.recvSome(pair.a(), 1)).asString().isEqualTo("0");
        assertThat(Sock.recvSome(pair.a(), 3)).asString().isEqualTo("123");
        assertThat(Sock.recvAll(pair.a(), 4)).asString().isEqualTo("4567");
        assertThat(Sock.recvSome(pair.a(), Integer.MAX_VALUE)).asString().isEqualTo("89");
        Sock.writeStr(pair.b(), "rest");
        Sock.close(pair.b());
        assertThat(Sock.recvAll(pair.a(), 100)).asString().isEqualTo("rest");
        assertThat(Sock.recvSome(pair.a(), 0)).isEmpty();
        assertThat(Sock.recvAll(pair.a(), 0)).isEmpty();
        assertThat(Sock.recvSome(pair.a(), 0)).isEmpty();
      });
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void misuse_isRefused(Place place, SocketPair pair) throws Exception {
    byte[] three = new byte[3];
    place.run(() -> {
      for (int n : new int[] {-1, 4, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
        assertThatThrownBy(() -> Sock.writeBytes(pair.b(), three, n))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
      assertThatThrownBy(() -> Sock.recvSome(pair.a(), -1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("-1");
      assertThatThrownBy(() -> Sock.recvAll(pair.a(), -5))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("-5");
      assertThat(Fds.read(pair.a())).as("nothing was written").isNull();
      int closed = Opened.notOpen();
      assertErrno(Errno.EBADF, () -> Sock.recvSome(closed, 0));
      assertErrno(Errno.EBADF, () -> Sock.recvAll(-1, 0));
      assertErrno(Errno.EBADF, () -> Sock.writeStr(closed, "x"));
    });
  }

  private static void assertErrno(
      int errno, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    ErrnoException e = catchThrowableOfType(ErrnoException.class, call);
    assertThat(e).isNotNull();
    assertThat(e.name()).isEqualTo(Errno.name(errno));
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void otherSideGone_isAnError(Kind kind, Place place) throws Exception {
    try (Fds.Pair pair = kind.open()) {
      Fds.close(pair.a());
      place.run(() -> {
        ErrnoException e =
            catchThrowableOfType(
                ErrnoException.class,
                () -> {
                  while (true) {
                    Sock.writeStr(pair.b(), "x"); // over TCP the first may still be taken
                  }
                });
        assertThat(e.name()).isIn("EPIPE", "ECONNRESET");
      });
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void connectionBrokenOff_isEconnreset(Place place) throws Exception {
    try (Fds.Pair pair = Kind.TCP.open()) {
      Opened.resetOnClose(pair.b());
      Fds.close(pair.b());
      place.run(() -> {
        Scheduler.ioWait(pair.a(), Scheduler.READ, -1);
        assertErrno(Errno.ECONNRESET, () -> Sock.recvSome(pair.a(), 0));
      });
    }
  }

  @Test
  void halfClosed_readsToTheEndAndWritesOn() throws Exception {
    try (Fds.Pair pair = Kind.TCP.open()) {
      Place.FIBER.run(() -> {
        Sock.writeStr(pair.b(), "question");
        Opened.endOutput(pair.b());
        assertThat(Sock.recvAll(pair.a(), 0)).asString().isEqualTo("question");
        Sock.writeStr(pair.a(), "answer");
        assertThat(Sock.recvSome(pair.b(), 0)).asString().isEqualTo("answer");
      });
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("slow")
  void eightMegabytesToASlowReader_arriveWhole(Kind kind, Scheduler s) {
    byte[] data = new byte[8 << 20];
    new Random(11).nextBytes(data);
    List<byte[]> got = new ArrayList<>();
    try (Fds.Pair pair = kind.open()) {
      Fiber writer =
          s.spawn(() -> {
            Sock.writeBytes(pair.b(), data, data.length);
            Sock.close(pair.b());
          });
      Fiber reader =
          s.spawn(() -> {
            got.add(Sock.recvSome(pair.a(), 1));
            for (int i = 0; i < 300; i++) { // enough turns for looks in between
              Scheduler.pause(0);
              got.add(Sock.recvSome(pair.a(), 100 + i));
            }
            got.add(Sock.recvAll(pair.a(), 0));
          });
      s.run();
      assertThat(writer.failure()).isEmpty();
      assertThat(reader.failure()).isEmpty();
    }
    byte[] all = new byte[got.stream().mapToInt(b -> b.length).sum()];
    int at = 0;
    for (byte[] some : got) {
      System.arraycopy(some, 0, all, at, some.length);
      at += some.length;
    }
    assertThat(Arrays.equals(all, data)).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void waits_holdNoOtherFiber(Kind kind, Scheduler s) {
    List<String> seen = new ArrayList<>();
    try (Fds.Pair pair = kind.open()) {
      s.spawn(() -> {
        seen.add(new String(Sock.recvSome(pair.a(), 0), StandardCharsets.UTF_8));
      });
      s.spawn(() -> {
        seen.add("other");
        Sock.writeStr(pair.b(), "data");
      });
      s.run();
      assertThat(seen).containsExactly("other", "data");
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void setNonblock_setsTheFlagAndNothingElse(Place place) throws Exception {
    try (Fds.Pair pair = Fds.blockingSocketPair()) {
      int before = Fds.flags(pair.a());
      place.run(() -> Sock.setNonblock(pair.a()));
      assertThat(Fds.isNonblocking(pair.a())).isTrue();
      assertThat(Fds.flags(pair.a()) & ~dev.fdfiber.kernel.Linux.O_NONBLOCK).isEqualTo(before);
      place.run(() -> Sock.setNonblock(pair.a()));
      assertThat(Fds.isNonblocking(pair.a())).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void closeTwice_isEbadf(Place place) throws Exception {
    Fds.Pair pair = Fds.socketPair();
    place.run(() -> {
      Sock.close(pair.a());
      assertErrno(Errno.EBADF, () -> Sock.close(pair.a()));
      Sock.close(pair.b());
    });
  }
}
