package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Fiber;
import dev.fdfiber.FiberBody;
import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Place;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * TLS through somebody in the middle, who passes on bytes as he likes: in other pieces, or changed.
 * Each time both sides get all the data, or an IOException: never anything else, nor wait for ever.
 */
@FdTest(limitSeconds = 300)
class TlsBadInputTest {
  private static final byte[] DATA = new byte[50_000];

  static {
    new Random(5).nextBytes(DATA);
  }

  private static final int NO_END = 0;

  /** What the one in the middle does to the bytes of a direction. */
  @FunctionalInterface
  private interface Meddler {
    /** Passes them on, its way. */
    void pass(int to, byte[] bytes, int before) throws Exception;
  }

  @BeforeEach
  void serve() throws Exception {
    TlsPair.ca();
  }

  /** A conversation of two; what each of them ended with, null if well. */
  private static List<Throwable> talk(Meddler toServer, Meddler toClient, int patienceMillis)
      throws Exception {
    int listener = Sock.listen(0, false);
    int inFront = Sock.listen(0, false);
    int port = Sock.localPort(listener);
    int frontPort = Sock.localPort(inFront);
    List<Throwable> ends = new ArrayList<>(Arrays.asList(null, null));
    try (Scheduler s = Scheduler.create()) {
      Fiber client =
          s.spawn(
              "client",
              noting(
                  ends,
                  0,
                  () -> {
                    int fd = Sock.tlsConnectStart("localhost", frontPort);
                    closing(
                        fd,
                        () -> {
                          Sock.setRecvTimeout(fd, 20_000); // a hang, but for the one in the middle
                          Sock.writeBytes(fd, DATA, DATA.length);
                          requireData(Sock.drainBody(fd, DATA.length));
                          Sock.shutdownWrite(fd);
                          assertThat(Sock.recvAll(fd, 0)).isEmpty();
                        });
                  }));
      Fiber server =
          s.spawn(
              "server",
              noting(
                  ends,
                  1,
                  () -> {
                    int fd = Sock.accept(listener);
                    closing(
                        fd,
                        () -> {
                          Sock.setRecvTimeout(fd, 20_000);
                          Sock.acceptTls(fd);
                          byte[] data = Sock.drainBody(fd, DATA.length);
                          requireData(data);
                          Sock.writeBytes(fd, data, data.length);
                          assertThat(Sock.recvAll(fd, 0)).isEmpty();
                        });
                  }));
      Fiber middle =
          s.spawn(
              "middle",
              () -> {
                int left = Sock.accept(inFront);
                int right = Sock.connect("localhost", port);
                Fiber one =
                    Scheduler.current().spawn(() -> pump(left, right, toServer, patienceMillis));
                Fiber two =
                    Scheduler.current().spawn(() -> pump(right, left, toClient, patienceMillis));
                one.join();
                two.join();
                Sock.close(left);
                Sock.close(right);
              });
      s.run();
      for (Fiber fiber : List.of(client, server, middle)) {
        Place.rethrow(fiber);
      }
    } finally {
      Sock.close(inFront);
      Sock.close(listener);
    }
    return ends;
  }

  private static FiberBody noting(List<Throwable> ends, int index, FiberBody body) {
    return () -> {
      try {
        body.run();
      } catch (IOException e) {
        ends.set(index, e);
      }
    };
  }

  /** What came early to an end was ended well by the other side, which had its own trouble. */
  private static void requireData(byte[] data) throws EOFException {
    if (data.length < DATA.length) {
      throw new EOFException("the end after " + data.length);
    }
    assertThat(Arrays.equals(data, DATA)).isTrue();
  }

  private static void closing(int fd, FiberBody body) throws Exception {
    try {
      body.run();
    } finally {
      Sock.close(fd);
    }
  }

  /** Ends the connection when nothing has come for a while: both may wait for more. */
  private static void pump(int from, int to, Meddler meddler, int patienceMillis) throws Exception {
    Sock.setRecvTimeout(from, patienceMillis);
    int total = 0;
    try {
      byte[] some = Sock.recvSome(from, 0);
      while (some.length > 0) {
        meddler.pass(to, some, total);
        total += some.length;
        some = Sock.recvSome(from, 0);
      }
      Sock.shutdownWrite(to);
    } catch (SocketTimeoutException e) {
      shutdown(from);
      shutdown(to);
    } catch (IOException e) {
      shutdown(to);
    }
  }

  private static void shutdown(int fd) {
    try {
      Sock.shutdownWrite(fd);
    } catch (IOException e) {
      // it is down
    }
  }

  private static void whole(int to, byte[] bytes, int before) throws IOException {
    Sock.writeBytes(to, bytes, bytes.length);
  }

  private static void assertWell(List<Throwable> ends) {
    assertThat(ends).containsOnlyNulls();
  }

  @Test
  @Tag("slow")
  void bytesOneByOne_areAllThere() throws Exception {
    Meddler oneByOne =
        (to, bytes, before) -> {
          for (int i = 0; i < bytes.length; i++) {
            Sock.writeBytes(to, new byte[] {bytes[i]}, 1);
            if (before + i < 8_000) { // the whole handshake, and records' beginnings
              Scheduler.pause(0);
              Scheduler.pause(0);
            }
          }
        };
    assertWell(talk(oneByOne, oneByOne, NO_END));
  }

  @Test
  void piecesOfAnySize_areAllThere() throws Exception {
    Random random = new Random(7);
    Meddler pieces =
        (to, bytes, before) -> {
          for (int at = 0; at < bytes.length; ) {
            int n = Math.min(bytes.length - at, 1 + random.nextInt(3_000));
            Sock.writeBytes(to, Arrays.copyOfRange(bytes, at, at + n), n);
            Scheduler.pause(0);
            at += n;
          }
        };
    for (int i = 0; i < 5; i++) {
      assertWell(talk(pieces, pieces, NO_END));
    }
    assertWell(talk(TlsBadInputTest::whole, TlsBadInputTest::whole, NO_END));
  }

  @Test
  @Tag("slow")
  void changedBytes_areAnExceptionOrHarmless() throws Exception {
    long seed = 20_260;
    int failures = 0;
    for (int round = 0; round < 80; round++) {
      Random random = new Random(seed + round);
      int at = random.nextInt(round % 2 == 0 ? 2_500 : 60_000);
      Meddler change =
          (to, bytes, before) -> {
            if (at >= before && at < before + bytes.length) {
              bytes[at - before] ^= (byte) (1 << random.nextInt(8));
            }
            whole(to, bytes, before);
          };
      boolean goesToServer = random.nextBoolean();
      List<Throwable> ends =
          talk(
              goesToServer ? change : TlsBadInputTest::whole,
              goesToServer ? TlsBadInputTest::whole : change,
              100);
      failures += ends.stream().allMatch(e -> e == null) ? 0 : 1;
    }
    assertThat(failures).as("rounds that failed, of seed " + seed).isGreaterThan(30);
  }

  @Test
  @Tag("slow")
  void streamCutAnywhere_isAnExceptionOnBothSides() throws Exception {
    long seed = 4_711;
    for (int round = 0; round < 40; round++) {
      int at = new Random(seed + round).nextInt(round % 2 == 0 ? 2_000 : 50_000);
      Meddler cut =
          (to, bytes, before) -> {
            int n = Math.clamp(at - before, 0, bytes.length);
            Sock.writeBytes(to, bytes, n);
            if (n < bytes.length) {
              throw new IOException("cut after " + at);
            }
          };
      List<Throwable> ends = talk(cut, TlsBadInputTest::whole, NO_END);
      assertThat(ends.get(0))
          .as("seed " + seed + ", round " + round)
          .isInstanceOf(IOException.class);
      assertThat(ends.get(1))
          .as("seed " + seed + ", round " + round)
          .isInstanceOf(SSLException.class);
    }
  }

  @Test
  void randomBytes_areNoHandshake() throws Exception {
    Random random = new Random(99);
    for (int i = 0; i < 200; i++) {
      int round = i;
      byte[] bytes = new byte[1 + random.nextInt(200)];
      random.nextBytes(bytes);
      if (round % 2 == 0) { // a record, of a kind and a length that may be
        System.arraycopy(
            new byte[] {0x16, 3, (byte) random.nextInt(5), 0},
            0,
            bytes,
            0,
            Math.min(4, bytes.length));
      }
      try (Fds.Pair pair = Fds.socketPair()) {
        Sock.writeBytes(pair.b(), bytes, bytes.length);
        Sock.shutdownWrite(pair.b());
        Place.FIBER.run(() -> {
          try {
            Sock.acceptTls(pair.a());
            throw new AssertionError("a handshake in round " + round);
          } catch (IOException e) {
            assertThat(e.getMessage()).contains("TLS handshake");
          }
        });
        Sock.close(pair.a());
      }
    }
  }
}
