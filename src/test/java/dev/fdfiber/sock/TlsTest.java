package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.SocketPair;
import dev.fdfiber.testing.Uncaught;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * TLS, once the handshake is done. What the calls do on every kind of descriptor is tested over TLS
 * with the others, in {@link SockBytesTest} and its like.
 */
@FdTest
class TlsTest {
  private static final Duration NOW = Duration.ZERO;
  private static final Duration FOREVER = Duration.ofSeconds(-1);

  @TempDir Path directory;

  private static byte[] random(int size) {
    byte[] data = new byte[size];
    new Random(size).nextBytes(data);
    return data;
  }

  // ---- bytes that are decrypted already

  @ParameterizedTest
  @EnumSource(Place.class)
  void defect21_bodyOfSeveralReads_isReadable(Place place) throws Exception {
    byte[] body = random(10_000);
    try (Fds.Pair pair = TlsPair.open()) {
      place.run(() -> {
        byte[] head = "POST / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.UTF_8);
        byte[] request = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        Sock.writeBytes(pair.a(), request, request.length);
        assertThat(Sock.recvSome(pair.b(), head.length)).isEqualTo(head);
        assertThat(Scheduler.ioWait(pair.b(), Scheduler.READ, 0)).as("left in the kernel").isZero();
        assertReadable(pair.b());
        assertThat(Sock.drainBody(pair.b(), 4_000)).isEqualTo(Arrays.copyOf(body, 4_000));
        assertReadable(pair.b());
        assertThat(Sock.drainBody(pair.b(), 6_000))
            .isEqualTo(Arrays.copyOfRange(body, 4_000, 10_000));
        assertNotReadable(pair.b());
      });
    }
  }

  private static void assertReadable(int fd) throws Exception {
    assertThat(Sock.awaitReadable(fd, FOREVER)).isTrue();
    assertThat(Sock.awaitReadable(fd, NOW)).isTrue();
    PollSet set = new PollSet();
    set.add(fd, Scheduler.READ);
    set.add(fd, Scheduler.READ | Scheduler.WRITE);
    set.add(fd, Scheduler.WRITE);
    assertThat(set.run(-1)).isEqualTo(3);
    assertThat(List.of(set.ready(0), set.ready(1), set.ready(2))).containsExactly(1, 3, 2);
  }

  private static void assertNotReadable(int fd) throws Exception {
    assertThat(Sock.awaitReadable(fd, NOW)).isFalse();
    assertThat(Sock.awaitReadable(fd, Duration.ofNanos(1))).isFalse();
    PollSet set = new PollSet();
    set.add(fd, Scheduler.READ);
    assertThat(set.run(0)).isZero();
    assertThat(set.run(1)).isZero();
    set.add(fd, Scheduler.READ | Scheduler.WRITE);
    assertThat(set.run(-1)).isEqualTo(1);
    assertThat(set.ready(1)).isEqualTo(Scheduler.WRITE);
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void recordsWithoutData_areNothingToRead(Place place) throws Exception {
    try (Fds.Pair pair = TlsPair.open()) {
      place.run(() -> {
        // The tickets that a server of TLS 1.3 sends are there, and hold nothing.
        assertThat(Scheduler.ioWait(pair.a(), Scheduler.READ, 0)).isEqualTo(Scheduler.READ);
        assertNotReadable(pair.a());
      });
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void awaitReadable_worksForPlainDescriptorsToo(Place place, SocketPair pair) throws Exception {
    place.run(() -> {
      assertNotReadable(pair.a());
      Sock.writeStr(pair.b(), "x");
      assertReadable(pair.a());
      Sock.recvSome(pair.a(), 0);
      Sock.close(pair.b());
      assertReadable(pair.a());
      assertThatThrownBy(() -> Sock.awaitReadable(Opened.notOpen(), NOW))
          .hasMessageContaining("EBADF");
    });
  }

  @Test
  void awaitReadable_parksUntilDataComes(Scheduler s) throws Exception {
    List<String> seen = new ArrayList<>();
    try (Fds.Pair pair = TlsPair.open()) {
      s.spawn(() -> {
        assertThat(Sock.awaitReadable(pair.b(), FOREVER)).isTrue();
        seen.add(new String(Sock.recvSome(pair.b(), 0), StandardCharsets.UTF_8));
      });
      s.spawn(() -> {
        PollSet set = new PollSet();
        set.add(pair.a(), Scheduler.READ);
        assertThat(set.run(-1)).isEqualTo(1);
        seen.add(new String(Sock.recvSome(pair.a(), 0), StandardCharsets.UTF_8));
      });
      s.spawn(() -> {
        seen.add("other");
        Sock.writeStr(pair.a(), "to b");
        Sock.writeStr(pair.b(), "to a");
      });
      s.run();
    }
    assertThat(seen).containsExactlyInAnyOrder("other", "to b", "to a").startsWith("other");
  }

  // ---- status, of each descriptor

  @ParameterizedTest
  @EnumSource(Place.class)
  void defect22_statusAndBytes_areOfEachDescriptor(Place place) throws Exception {
    try (Fds.Pair one = TlsPair.open();
        Fds.Pair two = TlsPair.open()) {
      place.run(() -> {
        Sock.setRecvTimeout(one.a(), 1);
        assertThatThrownBy(() -> Sock.recvSome(one.a(), 0))
            .isInstanceOf(SocketTimeoutException.class);
        Sock.writeStr(two.b(), "for two");
        assertThat(Sock.recvSome(two.a(), 3)).asString().isEqualTo("for");
        Scheduler.pause(0);
        assertThat(Sock.ioStatus(one.a())).isEqualTo(IoStatus.WANT_READ);
        assertThat(Sock.ioStatus(two.a())).isEqualTo(IoStatus.OK);
        Sock.setRecvTimeout(one.a(), 0);
        Sock.writeStr(one.b(), "for one");
        assertThat(Sock.recvSome(one.a(), 0)).asString().isEqualTo("for one");
        assertThat(Sock.recvSome(two.a(), 0)).asString().isEqualTo(" two");
        assertThat(Sock.ioStatus(one.a())).isEqualTo(IoStatus.OK);
      });
    }
  }

  @Test
  void stateOfTls_isGoneWithTheFile(SocketPair plain) throws Exception {
    try (Fds.Pair tls = TlsPair.open()) {
      Sock.writeStr(tls.b(), "decrypted");
      assertThat(Sock.recvSome(tls.a(), 1)).asString().isEqualTo("d");
      Opened.replace(tls.a(), plain.a()); // behind the library's back
      Sock.writeStr(plain.b(), "plain");
      assertThat(Sock.recvSome(tls.a(), 0)).asString().isEqualTo("plain");
      Sock.writeStr(tls.a(), "too");
      assertThat(Fds.read(plain.b())).isEqualTo("too");
      Sock.close(tls.a());
      assertThat(Fds.read(plain.b())).as("no close_notify for a stranger").isNull();
    }
  }

  @Test
  void defect21_descriptorOfAnyNumber_speaksTls() throws Exception {
    Assumptions.assumeTrue(Opened.softLimit() > 5000, "5,000 descriptors");
    TlsPair.ca();
    int listener = Sock.listen(0, false);
    int port = Sock.localPort(listener);
    Elsewhere<Integer> client = Elsewhere.start(() -> Sock.connectTls("localhost", port));
    int low = Sock.accept(listener);
    int high = Opened.dupFrom(4999, low);
    Sock.close(low);
    Sock.acceptTls(high);
    Sock.writeStr(high, "high");
    assertThat(Sock.recvSome(client.result(), 0)).asString().isEqualTo("high");
    for (int fd : new int[] {high, client.result(), listener}) {
      assertThat(Opened.isCloseOnExec(fd)).isTrue(); // defect 25
      Sock.close(fd);
    }
  }

  // ---- ends

  @ParameterizedTest
  @EnumSource(Place.class)
  void endWithoutCloseNotify_isAnError(Place place) throws Exception {
    try (Fds.Pair pair = TlsPair.open()) {
      place.run(() -> {
        Sock.writeStr(pair.b(), "all of i");
        Opened.endOutput(pair.b()); // what an attacker can do
        assertThat(Sock.recvSome(pair.a(), 0)).asString().isEqualTo("all of i");
        for (int i = 0; i < 2; i++) {
          assertReadable(pair.a());
          assertThatThrownBy(() -> Sock.recvSome(pair.a(), 0))
              .isInstanceOf(SSLException.class)
              .hasMessageContaining("without a close_notify");
          assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.ERROR);
        }
        assertThatThrownBy(() -> Sock.recvAll(pair.a(), 0)).isInstanceOf(SSLException.class);
        Sock.writeStr(pair.a(), "the other direction");
        assertThat(Sock.recvSome(pair.b(), 0)).asString().isEqualTo("the other direction");
      });
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void shutdownWrite_endsOneDirection(Place place) throws Exception {
    try (Fds.Pair pair = TlsPair.open()) {
      place.run(() -> {
        Sock.writeStr(pair.a(), "question");
        Sock.shutdownWrite(pair.a());
        assertThat(Sock.recvAll(pair.b(), 0)).asString().isEqualTo("question");
        assertThat(Sock.recvSome(pair.b(), 0)).isEmpty();
        assertThat(Sock.ioStatus(pair.b())).isEqualTo(IoStatus.EOF);
        assertReadable(pair.b());
        Sock.writeStr(pair.b(), "answer");
        Sock.close(pair.b());
        assertThat(Sock.recvAll(pair.a(), 0)).asString().isEqualTo("answer");
        assertThatThrownBy(() -> Sock.writeStr(pair.a(), "x")).hasMessageContaining("EPIPE");
        assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.ERROR);
      });
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void connectionBrokenOff_isEconnreset(Place place) throws Exception {
    try (Fds.Pair pair = TlsPair.open()) {
      Opened.resetOnClose(pair.b());
      Fds.close(pair.b());
      place.run(() -> {
        for (int i = 0; i < 2; i++) {
          assertReadable(pair.a());
          ErrnoException e =
              catchThrowableOfType(ErrnoException.class, () -> Sock.recvSome(pair.a(), 0));
          assertThat(e.errno()).isEqualTo(Errno.ECONNRESET);
        }
      });
    }
  }

  @Test
  void close_wakesReadersAndWriters(Scheduler s, Uncaught uncaught) throws Exception {
    try (Fds.Pair pair = TlsPair.open()) {
      List<Fiber> fibers = new ArrayList<>();
      for (int i = 0; i < 2; i++) { // the second of each waits for the first
        fibers.add(s.spawn(() -> Sock.recvSome(pair.a(), 0)));
        fibers.add(s.spawn(() -> Sock.writeBytes(pair.a(), new byte[32 << 20], 32 << 20)));
      }
      s.runUntilEmpty();
      assertThat(s.aliveCount()).isEqualTo(4);
      s.spawn(() -> Sock.close(pair.a()));
      s.run();
      for (Fiber fiber : fibers) {
        assertThat(fiber.failure()).get().isInstanceOf(ClosedChannelException.class);
      }
      assertThat(uncaught.all()).hasSize(4);
      assertThatThrownBy(() -> Sock.recvAll(pair.b(), 0))
          .as("the writes were cut")
          .isInstanceOf(SSLException.class);
    }
  }

  // ---- writers

  @Test
  @Tag("slow")
  void twoWritersAndAReader_areInNobodysWay(Scheduler s) throws Exception {
    int size = 3 << 20;
    try (Fds.Pair pair = TlsPair.open()) {
      List<Fiber> fibers = new ArrayList<>();
      for (byte b = 1; b <= 2; b++) {
        byte[] data = new byte[size];
        Arrays.fill(data, b);
        fibers.add(s.spawn(() -> Sock.writeBytes(pair.a(), data, size)));
        fibers.add(s.spawn(() -> Sock.writeBytes(pair.b(), data, size)));
      }
      for (int fd : new int[] {pair.a(), pair.b()}) {
        fibers.add(
            s.spawn(() -> {
              byte[] all = Sock.drainBody(fd, 2 * size);
              for (int i = 0; i < 2 * size; i++) {
                assertThat(all[i]).isEqualTo(all[i / size * size]);
              }
              assertThat(all[0]).isNotEqualTo(all[size]);
            }));
      }
      s.run();
      for (Fiber fiber : fibers) {
        Place.rethrow(fiber);
      }
    }
  }

  @Test
  void r20_cancelDuringWrite_tearsNoRecord(Scheduler s) throws Exception {
    Path file = Files.write(directory.resolve("file"), random(32 << 20));
    try (Fds.Pair pair = TlsPair.open()) {
      long[] sent = new long[1];
      for (boolean isFile : new boolean[] {false, true}) {
        Fiber writer =
            s.spawn(() -> {
              byte[] data = new byte[isFile ? 0 : 32 << 20];
              InterruptedIOException e =
                  catchThrowableOfType(
                      InterruptedIOException.class,
                      () -> {
                        if (isFile) {
                          Sock.sendfile(pair.a(), file);
                        } else {
                          Sock.writeBytes(pair.a(), data, data.length);
                        }
                      });
              sent[0] += e.bytesTransferred;
              assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.WANT_WRITE);
            });
        do {
          s.runFor(0.01);
        } while (s.fibers().getFirst().state() != Fiber.State.WAITING_IO);
        Fiber waits = s.spawn(() -> Sock.writeStr(pair.a(), "never"));
        s.runUntilEmpty();
        waits.cancel();
        s.runUntilEmpty();
        assertThat(waits.failure()).get().isInstanceOf(InterruptedIOException.class);
        writer.cancel();
        s.run();
        Place.rethrow(writer);
      }
      Fiber next =
          s.spawn(() -> {
            Sock.writeStr(pair.a(), "end");
            Sock.close(pair.a());
          });
      byte[][] got = new byte[1][];
      s.spawn(() -> got[0] = Sock.recvAll(pair.b(), 0));
      s.run();
      Place.rethrow(next);
      assertThat(sent[0]).isPositive();
      assertThat(got[0]).hasSize((int) sent[0] + 3);
      assertThat(got[0]).endsWith("end".getBytes(StandardCharsets.UTF_8));
    }
  }
}
