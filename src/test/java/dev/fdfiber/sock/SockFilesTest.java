package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.SocketPair;
import java.io.InterruptedIOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.MethodSource;

/** Sock: files. */
@FdTest
class SockFilesTest {
  @TempDir Path directory;

  static Object[][] everywhere() {
    return SockBytesTest.everywhere().map(a -> a.get()).toArray(Object[][]::new);
  }

  private Path file(int size) throws Exception {
    byte[] data = new byte[size];
    new Random(size).nextBytes(data);
    return Files.write(directory.resolve("file-ü"), data);
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void fiveMegabytes_arriveWhole(SockBytesTest.Kind kind, Place place) throws Exception {
    Path file = file(5 << 20);
    try (Fds.Pair pair = kind.open()) {
      Elsewhere<byte[]> reader = Elsewhere.start(() -> Sock.recvAll(pair.a(), 0));
      place.run(() -> {
        assertThat(Sock.sendfile(pair.b(), file)).isEqualTo(5 << 20);
        Sock.close(pair.b());
      });
      assertThat(Arrays.equals(reader.result(), Files.readAllBytes(file))).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void emptyFile_isNothing(Place place, SocketPair pair) throws Exception {
    Path file = file(0);
    place.run(() -> assertThat(Sock.sendfile(pair.b(), file)).isZero());
    assertThat(Fds.read(pair.a())).isNull();
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void whatIsNoFile_isAnErrno(Place place, SocketPair pair) throws Exception {
    place.run(() -> {
      assertThatThrownBy(() -> Sock.sendfile(pair.b(), directory.resolve("none")))
          .isInstanceOf(ErrnoException.class)
          .hasMessageContaining("ENOENT");
      assertThatThrownBy(() -> Sock.sendfile(pair.b(), directory)).hasMessageContaining("EINVAL");
      assertThatThrownBy(() -> Sock.sendfile(Opened.notOpen(), file(1)))
          .hasMessageContaining("EBADF");
      Fds.close(pair.a());
      assertThatThrownBy(() -> Sock.sendfile(pair.b(), file(100))).hasMessageContaining("EPIPE");
    });
  }

  @Test
  void sendfileThatIsNotThere_isReadAndWrite(SocketPair pair) throws Exception {
    Path file = file(200_000);
    Kernel without =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public long sendfile(int outFd, int inFd, long count) {
            return -Errno.ENOSYS;
          }
        };
    try (Scheduler s = Scheduler.builder().kernel(without).build()) {
      byte[][] got = new byte[1][];
      s.spawn(() -> got[0] = Sock.drainBody(pair.a(), 200_000));
      Place.in(s, () -> assertThat(Sock.sendfile(pair.b(), file)).isEqualTo(200_000));
      assertThat(Arrays.equals(got[0], Files.readAllBytes(file))).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(value = SockBytesTest.Kind.class, mode = Mode.EXCLUDE, names = "TLS") // see TlsTest
  void r20_cancelDuringSendfile_tellsHowMuchWasSent(SockBytesTest.Kind kind, Scheduler s)
      throws Exception {
    Path file = file(32 << 20);
    int[] count = new int[2];
    try (Fds.Pair pair = kind.open()) {
      Fiber sender =
          s.spawn(() ->
              count[0] =
                  catchThrowableOfType(
                          InterruptedIOException.class, () -> Sock.sendfile(pair.b(), file))
                      .bytesTransferred);
      do {
        s.runFor(0.01);
      } while (s.fibers().getFirst().state() != Fiber.State.WAITING_IO);
      sender.cancel();
      s.run();
      Place.rethrow(sender);
      Fds.close(pair.b());
      assertThat(Sock.recvAll(pair.a(), 0)).hasSize(count[0]);
      assertThat(count[0]).isPositive();
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void sizesAndTimes_areOfRegularFilesOnly(Place place) throws Exception {
    Path large = directory.resolve("large");
    try (RandomAccessFile sparse = new RandomAccessFile(large.toFile(), "rw")) {
      sparse.setLength((1L << 31) + 12_345);
    }
    Files.setLastModifiedTime(large, FileTime.fromMillis(5_000_000_001_999L));
    place.run(() -> {
      assertThat(Sock.filesize(large)).isEqualTo((1L << 31) + 12_345);
      assertThat(Sock.fileMtime(large)).isEqualTo(5_000_000_001L);
      for (Path other : new Path[] {directory, Path.of("/dev/null"), directory.resolve("none")}) {
        assertThat(Sock.filesize(other)).isEqualTo(-1);
        assertThat(Sock.fileMtime(other)).isEqualTo(-1);
      }
    });
  }
}
