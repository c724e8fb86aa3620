package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static dev.fdfiber.Scheduler.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.SocketPair;
import dev.fdfiber.testing.TimeKernel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** R14: what ends a wait that is not plain readiness. */
@FdTest
class ReadinessEndsTest {
  private static final int BOTH = READ | WRITE;
  private static final List<Integer> MODES = List.of(READ, WRITE, BOTH);

  /** Descriptors at which poll(2) says POLLHUP or POLLERR, and maybe nothing that was asked for. */
  @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
  enum Ended {
    PIPE_WITHOUT_WRITER(() -> keep(Fds.pipe(), true)),
    PIPE_WITHOUT_READER(() -> keep(Fds.pipe(), false)),
    SOCKET_WITHOUT_PEER(() -> keep(Fds.socketPair(), true)),
    SOCKET_NEVER_CONNECTED(Opened::tcpSocket),
    PTY_WITHOUT_SLAVE(() -> keep(Opened.pty(), true));

    private final Supplier<Integer> opener;

    Ended(Supplier<Integer> opener) {
      this.opener = opener;
    }

    private static int keep(Fds.Pair pair, boolean first) {
      Fds.close(first ? pair.b() : pair.a());
      return first ? pair.a() : pair.b();
    }
  }

  static Stream<Arguments> endedEverywhere() {
    return Stream.of(Ended.values())
        .flatMap(e -> Stream.of(Place.values()).map(place -> Arguments.of(e, place)));
  }

  @ParameterizedTest
  @MethodSource("endedEverywhere")
  void r14_hangUpAndError_countAsEveryBitAskedFor(Ended ended, Place place) throws Exception {
    int fd = ended.opener.get();
    place.run(() -> {
      for (int mode : MODES) {
        assertThat(Scheduler.ioWait(fd, mode, -1)).isEqualTo(mode);
        assertThat(Scheduler.ioWait(fd, mode, 0)).isEqualTo(mode);
        assertThat(Scheduler.ioWait(fd, mode, 10)).isEqualTo(mode);
      }
    });
    Fds.close(fd);
  }

  @Test
  void r14_theCallThatFollows_reportsTheCause() throws Exception {
    int reader = Ended.PIPE_WITHOUT_WRITER.opener.get();
    int writer = Ended.PIPE_WITHOUT_READER.opener.get();
    int master = Ended.PTY_WITHOUT_SLAVE.opener.get();
    Place.FIBER.run(() -> {
      Scheduler.ioWait(reader, READ, -1);
      assertThat(Fds.read(reader)).isEmpty();
      Scheduler.ioWait(writer, WRITE, -1);
      assertThat(Fds.write(writer, "x")).isEqualTo(-Errno.EPIPE);
      Scheduler.ioWait(master, READ, -1);
      assertThat(Fds.write(master, "")).isZero();
    });
    List.of(reader, writer, master).forEach(Fds::close);
  }

  @Test
  void r14_hangUpDuringWaits_wakesReadersAndWriters() {
    try (Scheduler s = Scheduler.create()) {
      Fds.Pair pipe = Fds.pipe();
      List<Integer> seen = new ArrayList<>();
      for (int mode : MODES) {
        s.spawn(() -> seen.add(Scheduler.ioWait(pipe.a(), mode, -1)));
      }
      s.runUntilEmpty();
      assertThat(seen).isEmpty();
      Fds.close(pipe.b());
      s.runUntilEmpty();
      assertThat(seen).containsExactly(READ, WRITE, BOTH);
      Fds.close(pipe.a());
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void r14_readiness_isOnlyWhatWasAskedFor(Place place, SocketPair pair) throws Exception {
    Fds.write(pair.b(), "x");
    place.run(() -> {
      for (int mode : MODES) {
        assertThat(Scheduler.ioWait(pair.a(), mode, -1)).isEqualTo(mode);
      }
      assertThat(Scheduler.ioWait(pair.b(), BOTH, -1)).isEqualTo(WRITE);
      assertThat(Scheduler.ioWait(pair.b(), READ, 0)).isZero();
    });
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void r14_notOpen_isEbadf(Place place) throws Exception {
    int closed = Opened.notOpen();
    place.run(() -> {
      for (int fd : new int[] {closed, -1, -7, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
        for (double timeout : new double[] {-1, 0, 100}) {
          assertEbadf(fd, timeout);
        }
      }
    });
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void r14_justClosed_isEbadfAlthoughTheLibraryOpensDescriptorsItself(Place place)
      throws Exception {
    Fds.Pair pipe = Fds.pipe();
    pipe.close(); // the lowest free numbers, which the next to open something gets
    place.run(() -> {
      assertEbadf(pipe.a(), 5);
      assertEbadf(pipe.b(), -1);
    });
  }

  private static void assertEbadf(int fd, double timeout) {
    ErrnoException e =
        catchThrowableOfType(ErrnoException.class, () -> Scheduler.ioWait(fd, READ, timeout));
    assertThat(e).isNotNull();
    assertThat(e.errno()).isEqualTo(Errno.EBADF).isEqualTo(9);
    assertThat(e.name()).isEqualTo("EBADF");
    assertThat(e).hasMessage("ioWait(fd " + fd + "): EBADF (Bad file descriptor)");
  }

  @Test
  void r14_notOpen_takesNoTime() throws Exception {
    ManualClock clock = new ManualClock();
    long start = clock.nanoTime();
    try (Scheduler s = Scheduler.builder().clock(clock).kernel(new TimeKernel(clock)).build()) {
      int closed = Opened.notOpen();
      Place.in(
          s,
          () -> {
            assertEbadf(closed, 1000);
            assertEbadf(-1, 1000);
          });
    }
    assertThat(clock.nanoTime()).isEqualTo(start);
  }

  @Test
  void r14_notOpen_touchesNoOtherWaiter(Pipe pipe) throws Exception {
    try (Scheduler s = Scheduler.create()) {
      List<Object> seen = new ArrayList<>();
      s.spawn(() -> seen.add(Scheduler.ioWait(pipe.readFd(), READ, -1)));
      Fiber bad = s.spawn(() -> Scheduler.ioWait(Opened.notOpen(), READ, -1));
      Fiber bad2 = s.spawn(() -> Scheduler.ioWait(-1, READ, -1));
      try (var quiet = new dev.fdfiber.testing.Logged()) {
        s.runUntilEmpty();
        assertThat(quiet.at(java.util.logging.Level.SEVERE)).hasSize(2);
      }
      assertThat(bad.failure()).get().isInstanceOf(ErrnoException.class);
      assertThat(bad2.failure()).get().isInstanceOf(ErrnoException.class);
      Fds.write(pipe.writeFd(), "x");
      s.runUntilEmpty();
      assertThat(seen).containsExactly(READ);
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void r14_regularFileDirectoryAndDevNull_areAlwaysReady(Place place, @TempDir Path dir)
      throws Exception {
    Path empty = java.nio.file.Files.createFile(dir.resolve("empty"));
    List<Integer> fds =
        List.of(
            Opened.file(empty, Linux.O_RDWR),
            Opened.file(dir, Linux.O_RDONLY),
            Opened.file(Path.of("/dev/null"), Linux.O_RDWR));
    place.run(() -> {
      for (int fd : fds) {
        for (int mode : MODES) {
          assertThat(Scheduler.ioWait(fd, mode, -1)).isEqualTo(mode);
        }
      }
    });
    fds.forEach(Fds::close);
  }
}
