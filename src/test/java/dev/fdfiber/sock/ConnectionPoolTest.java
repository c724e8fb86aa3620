package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.Fiber;
import dev.fdfiber.FiberBody;
import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Connections that are kept, plain ones and TLS, lent in a fiber and outside. */
@FdTest
class ConnectionPoolTest {
  private final ManualClock clock = new ManualClock();
  private final ConnectionPool pool = new ConnectionPool(3, clock);

  /** The servers' ends, in the order of the connections, and those nobody asked for yet. */
  private final List<Integer> accepted = new ArrayList<>();

  private final LinkedBlockingQueue<Integer> arrived = new LinkedBlockingQueue<>();

  private int port;

  @BeforeEach
  void serve() throws Exception {
    TlsPair.ca();
  }

  static Stream<Arguments> everywhere() {
    return Stream.of(false, true)
        .flatMap(tls -> Stream.of(Place.values()).map(place -> Arguments.of(tls, place)));
  }

  /** Runs the body while a server accepts; closes all that is left. */
  private void run(boolean isTls, Place place, FiberBody body) throws Exception {
    int listener = Sock.listen(0, false);
    port = Sock.localPort(listener);
    Thread server =
        Thread.ofPlatform()
            .start(() -> {
              try (Scheduler s = Scheduler.create()) {
                s.spawn(() -> {
                  while (true) {
                    int fd = Sock.accept(listener);
                    arrived.add(fd);
                    if (isTls) {
                      s.spawn(() -> Sock.acceptTls(fd));
                    }
                  }
                });
                s.run();
              }
            });
    try {
      place.run(body);
    } finally {
      server.interrupt();
      server.join();
      pool.close();
      arrived.drainTo(accepted);
      accepted.forEach(Fds::closeQuietly);
      Sock.close(listener);
    }
  }

  private int checkout(boolean isTls) throws Exception {
    return isTls ? pool.checkoutTls("localhost", port) : pool.checkout("localhost", port);
  }

  private int accepted(int index) throws InterruptedException {
    while (accepted.size() <= index) {
      accepted.add(arrived.take());
    }
    return accepted.get(index);
  }

  private List<Long> counters() {
    return List.of(pool.checkouts(), pool.checkins(), pool.hits(), pool.misses());
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void connectionPutBack_isLentAgain(boolean isTls, Place place) throws Exception {
    run(
        isTls,
        place,
        () -> {
          int one = checkout(isTls);
          int two = checkout(isTls);
          assertThat(two).isNotEqualTo(one);
          assertThat(counters()).containsExactly(2L, 0L, 0L, 2L);
          Sock.setRecvTimeout(one, 1);
          pool.checkin(one);
          pool.checkin(two);
          assertThat(checkout(isTls)).as("put back last").isEqualTo(two);
          assertThat(isTls ? pool.checkoutTls("LOCALHOST", port) : pool.checkout("LOCALHOST", port))
              .isEqualTo(one);
          assertThat(counters()).containsExactly(4L, 2L, 2L, 2L);
          Sock.writeStr(accepted(0), "for one");
          assertThat(Sock.recvSome(one, 0)).asString().isEqualTo("for one");
          assertThat(Sock.awaitReadable(one, java.time.Duration.ofMillis(2))).isFalse();
          Sock.close(one);
          Sock.close(two);
        });
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void deadConnection_isNeverLent(boolean isTls, Place place) throws Exception {
    run(
        isTls,
        place,
        () -> {
          List<Integer> dead = new ArrayList<>();
          for (int i = 0; i < 3; i++) {
            dead.add(checkout(isTls));
          }
          dead.forEach(pool::checkin);
          Sock.close(accepted(0)); // with a close_notify
          Fds.close(accepted(1)); // without
          Sock.writeStr(accepted(2), "nobody asked");
          for (int fd : dead) {
            assertThat(Scheduler.ioWait(fd, Scheduler.READ, -1)).isPositive();
          }
          int fresh = checkout(isTls);
          accepted(3);
          assertThat(counters()).containsExactly(4L, 3L, 0L, 4L);
          Sock.writeStr(fresh, "alive");
          assertThat(Sock.recvSome(accepted(3), 0)).asString().isEqualTo("alive");
          Sock.writeStr(accepted(3), "left over");
          Sock.awaitReadable(fresh, java.time.Duration.ofSeconds(-1));
          pool.checkin(fresh); // and so closed at once
          assertThat(Fds.isOpen(fresh)).isFalse();
        });
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void closeIdle_closesTheOldOnes(boolean isTls, Place place) throws Exception {
    run(
        isTls,
        place,
        () -> {
          int old = checkout(isTls);
          int young = checkout(isTls);
          accepted(1);
          pool.checkin(old);
          clock.advanceNanos(10_000_000_000L);
          pool.checkin(young);
          clock.advanceNanos(1_000_000_000L);
          assertThat(pool.closeIdle(12)).isZero();
          assertThat(pool.closeIdle(11)).isEqualTo(1);
          assertThat(Fds.isOpen(old)).isFalse();
          assertThat(Sock.recvAll(accepted(0), 0)).as("ends well, over TLS too").isEmpty();
          assertThat(checkout(isTls)).isEqualTo(young);
          pool.checkin(young);
          assertThat(pool.closeIdle(0)).isEqualTo(1);
          assertThatThrownBy(() -> pool.closeIdle(-1)).isInstanceOf(IllegalArgumentException.class);
        });
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void oneTooMany_closesTheOldest(boolean isTls, Place place) throws Exception {
    run(
        isTls,
        place,
        () -> {
          List<Integer> fds = new ArrayList<>();
          for (int i = 0; i < 4; i++) {
            fds.add(checkout(isTls));
          }
          accepted(3); // or the server gets a number that was closed here
          fds.forEach(pool::checkin);
          assertThat(fds.stream().map(Fds::isOpen)).containsExactly(false, true, true, true);
          pool.close();
          assertThat(fds.stream().map(Fds::isOpen)).containsOnly(false);
          assertThatThrownBy(() -> checkout(isTls)).isInstanceOf(IllegalStateException.class);
        });
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void connectionMadeElsewhere_isTakenIn(boolean isTls, Place place) throws Exception {
    run(
        isTls,
        place,
        () -> {
          int fd = isTls ? Sock.connectTls("localhost", port) : Sock.connect("localhost", port);
          pool.checkin(fd, "localhost", port);
          assertThatThrownBy(() -> pool.checkin(fd, "localhost", port))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("already");
          assertThat(checkout(isTls)).isEqualTo(fd);
          pool.checkin(fd);
          assertThatThrownBy(() -> pool.checkin(fd)).isInstanceOf(IllegalArgumentException.class);
          assertThatThrownBy(() -> pool.checkin(Opened.notOpen(), "localhost", port))
              .isInstanceOf(IllegalArgumentException.class);
          int again = checkout(isTls);
          Sock.close(again);
          assertThatThrownBy(() -> pool.checkin(again))
              .isInstanceOf(IllegalArgumentException.class);
        });
  }

  @Test
  void plainAndTls_areNotMixedUp() throws Exception {
    run(
        true,
        Place.FIBER,
        () -> {
          int plain = Sock.connect("localhost", port);
          pool.checkin(plain, "localhost", port);
          int tls = checkout(true);
          assertThat(tls).isNotEqualTo(plain);
          assertThat(checkout(false)).isEqualTo(plain);
          Sock.close(plain);
          Sock.close(tls);
        });
  }

  @Test
  void numberUsedByAnotherFile_isNeitherLentNorClosed() throws Exception {
    run(
        false,
        Place.FIBER,
        () -> {
          int fd = checkout(false);
          accepted(0);
          pool.checkin(fd);
          try (Fds.Pair other = Fds.socketPair()) {
            Opened.replace(fd, other.a());
            int fresh = checkout(false);
            assertThat(fresh).isNotEqualTo(fd);
            assertThat(Fds.isOpen(fd)).isTrue();
            Sock.close(fresh);
            Sock.close(fd);
          }
        });
  }

  @Test
  void checkout_parksTheFiberAlone() throws Exception {
    run(
        true,
        Place.OUTSIDE,
        () -> {
          List<String> seen = new ArrayList<>();
          try (Scheduler s = Scheduler.create()) {
            Fiber client =
                s.spawn(() -> {
                  int fd = checkout(true);
                  seen.add("connected");
                  pool.checkin(fd);
                });
            s.spawn(() -> seen.add("other"));
            s.run();
            Place.rethrow(client);
          }
          assertThat(seen).containsExactly("other", "connected");
        });
  }
}
