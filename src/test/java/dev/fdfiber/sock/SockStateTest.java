package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.SocketPair;
import dev.fdfiber.testing.Trace;
import java.net.SocketTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.MethodSource;

/** Sock: what is kept about a descriptor, and for how long. */
@FdTest
class SockStateTest {
  static Object[][] everywhere() {
    return SockBytesTest.everywhere().map(a -> a.get()).toArray(Object[][]::new);
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void recvTimeout_endsEveryRead(SockBytesTest.Kind kind, Place place) throws Exception {
    try (Fds.Pair pair = kind.open()) {
      place.run(() -> {
        Sock.setRecvTimeout(pair.a(), 1);
        assertTimeout(0, () -> Sock.recvSome(pair.a(), 0));
        assertTimeout(0, () -> Sock.recvFrame(pair.a()));
        Sock.writeStr(pair.b(), "12345");
        assertTimeout(5, () -> Sock.recvAll(pair.a(), 0));
        assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.WANT_READ);
        Sock.writeStr(pair.b(), "123");
        assertTimeout(3, () -> Sock.drainBody(pair.a(), 4));
        Sock.writeStr(pair.b(), "GET /");
        assertTimeout(5, () -> Sock.readRequest(pair.a()));
        Sock.writeStr(pair.b(), "there");
        assertThat(Sock.recvSome(pair.a(), 0)).asString().isEqualTo("there");
        assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.OK);
      });
    }
  }

  private static void assertTimeout(
      int transferred, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    SocketTimeoutException e = catchThrowableOfType(SocketTimeoutException.class, call);
    assertThat(e).isNotNull();
    assertThat(e.bytesTransferred).isEqualTo(transferred);
  }

  @ParameterizedTest
  @EnumSource(value = SockBytesTest.Kind.class, mode = Mode.EXCLUDE, names = "TLS") // see TlsTest
  void recvTimeout_isGoneWithTheFile(SockBytesTest.Kind kind, Scheduler s) throws Exception {
    try (Fds.Pair pair = kind.open();
        Fds.Pair other = kind.open()) {
      Sock.setRecvTimeout(pair.a(), 1);
      Opened.replace(pair.a(), other.a()); // behind the library's back
      assertThat(waitsWithoutEnd(s, pair.a())).isTrue();
      Sock.setRecvTimeout(pair.a(), 1);
      Sock.close(pair.a());
      assertThat(Opened.dupFrom(pair.a(), other.a())).isEqualTo(pair.a());
      assertThat(waitsWithoutEnd(s, pair.a())).isTrue();
      Sock.setRecvTimeout(pair.a(), 1);
      Sock.setRecvTimeout(pair.a(), 0);
      assertThat(waitsWithoutEnd(s, pair.a())).isTrue();
    }
  }

  private static boolean waitsWithoutEnd(Scheduler s, int fd) {
    Fiber reader = s.spawn(() -> Sock.recvSome(fd, 0));
    s.runUntilEmpty();
    boolean timed = s.fibers().getFirst().nanosLeft().isPresent();
    reader.cancel();
    s.run();
    return !timed;
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void status_isOfTheLastCallAndOfThisFile(SockBytesTest.Kind kind, Place place) throws Exception {
    try (Fds.Pair pair = kind.open();
        Fds.Pair other = kind.open()) {
      place.run(() -> {
        assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.OK);
        Sock.close(pair.b());
        assertThat(Sock.recvSome(pair.a(), 0)).isEmpty();
        assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.EOF);
        assertThat(Sock.ioStatus(other.a())).isEqualTo(IoStatus.OK);
        Opened.replace(pair.a(), other.a());
        assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.OK);
        Sock.close(pair.a());
        assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.ERROR);
        Fds.close(other.a());
        assertThatThrownBy(
                () -> {
                  while (true) {
                    Sock.writeStr(other.b(), "x");
                  }
                })
            .isInstanceOf(ErrnoException.class);
        assertThat(Sock.ioStatus(other.b())).isEqualTo(IoStatus.ERROR);
      });
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void misuse_isAnErrno(Place place, Pipe pipe) throws Exception {
    int none = Opened.notOpen();
    place.run(() -> {
      assertThatThrownBy(() -> Sock.setRecvTimeout(none, 5)).hasMessageContaining("EBADF");
      assertThatThrownBy(() -> Sock.shutdownWrite(none)).hasMessageContaining("EBADF");
      assertThatThrownBy(() -> Sock.shutdownWrite(pipe.writeFd())).hasMessageContaining("ENOTSOCK");
      assertThat(Sock.ioStatus(-1)).isEqualTo(IoStatus.ERROR);
    });
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void shutdownWrite_endsOneDirection(Place place) throws Exception {
    try (Fds.Pair pair = SockBytesTest.Kind.TCP.open()) {
      place.run(() -> {
        Sock.writeStr(pair.b(), "question");
        Sock.shutdownWrite(pair.b());
        assertThat(Sock.recvAll(pair.a(), 0)).asString().isEqualTo("question");
        Sock.writeStr(pair.a(), "answer");
        assertThat(Sock.recvFrame(pair.b())).asString().isEqualTo("answer");
      });
    }
  }

  @Test
  void plainSocket_paysNothingForTheTlsAndTimeoutsOfOthers(
      Scheduler s, SocketPair pair, SocketPair timed, Trace trace) {
    s.spawn(
        "test",
        () -> {
          Sock.writeStr(pair.b(), "x");
          assertThat(Sock.recvSome(pair.a(), 0)).hasSize(1);
          Sock.setRecvTimeout(timed.a(), 1000);
          Sock.writeStr(pair.b(), "y");
          assertThat(Sock.recvSome(pair.a(), 0)).hasSize(1);
        });
    s.run();
    assertThat(trace.lines())
        .filteredOn(line -> line.matches(".*\\(pair\\.[ab],.*"))
        .extracting(line -> line.replaceAll("\\(.*", ""))
        .containsExactly("test send", "test recv", "test send", "test recv");
  }
}
