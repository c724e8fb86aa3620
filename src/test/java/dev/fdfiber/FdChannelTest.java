package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.kernel.Linux;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.SocketPair;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Channels over descriptors: whose they are, what they read and write, how they end. */
@FdTest
class FdChannelTest {
  private static final Duration SHORT = Duration.ofNanos(1000);

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String text(ByteBuffer read) {
    return StandardCharsets.UTF_8.decode(read.flip()).toString();
  }

  // ---- own

  @Test
  void own_standardStreams_areRefusedAndBorrowIsNamed() {
    for (int fd = 0; fd <= 2; fd++) {
      int standard = fd;
      assertThatThrownBy(() -> FdChannel.own(standard))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("fd " + fd)
          .hasMessageContaining("borrow");
      assertThat(Fds.isOpen(fd)).isTrue();
    }
  }

  @Test
  void own_setsNonblockAndCloses() throws Exception {
    for (Fds.Pair pair : List.of(Fds.blockingPipe(), Fds.blockingSocketPair())) {
      FdChannel channel = FdChannel.own(pair.a());
      assertThat(channel.fd()).isEqualTo(pair.a());
      assertThat(Fds.isNonblocking(pair.a())).isTrue();
      assertThat(Fds.isNonblocking(pair.b())).isFalse();
      assertThat(channel.isOpen()).isTrue();
      channel.close();
      assertThat(channel.isOpen()).isFalse();
      assertThat(Fds.isOpen(pair.a())).isFalse();
      Fds.close(pair.b());
    }
  }

  @Test
  void notOpen_isRefused() {
    for (int fd : new int[] {-1, Opened.notOpen(), Integer.MAX_VALUE}) {
      assertThatThrownBy(() -> FdChannel.own(fd))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("EBADF");
      assertThatThrownBy(() -> FdChannel.borrow(fd))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("EBADF");
    }
  }

  @Test
  void closeTwice_closesOnce() throws Exception {
    Fds.Pair pipe = Fds.pipe();
    FdChannel channel = FdChannel.own(pipe.a());
    channel.close();
    int reused = Opened.dupFrom(pipe.a(), pipe.b());
    assertThat(reused).isEqualTo(pipe.a());
    channel.close();
    assertThat(Fds.isOpen(reused)).as("the number is somebody else's by now").isTrue();
    pipe.close();
  }

  @Test
  void closedBehind_closeTellsSo() {
    Fds.Pair pipe = Fds.pipe();
    FdChannel channel = FdChannel.own(pipe.a());
    pipe.close();
    assertThatThrownBy(channel::close)
        .isInstanceOf(ErrnoException.class)
        .hasMessageContaining("close(fd " + pipe.a() + "): EBADF");
  }

  // ---- reading and writing

  @ParameterizedTest
  @EnumSource(Place.class)
  void heapDirectAndReadOnlyBuffers_areReadAndWritten(Place place, SocketPair pair)
      throws Exception {
    place.run(() -> {
      FdChannel a = FdChannel.borrow(pair.a());
      FdChannel b = FdChannel.borrow(pair.b());
      ByteBuffer direct = ByteBuffer.allocateDirect(8).put(bytes("..dir")).flip().position(2);
      assertThat(a.write(direct)).isEqualTo(3);
      assertThat(direct.remaining()).isZero();
      assertThat(a.write(bytes("ect").asReadOnlyBuffer())).isEqualTo(3);
      ByteBuffer heap = ByteBuffer.allocate(20).position(4).slice().limit(4);
      assertThat(b.read(heap)).isEqualTo(4);
      assertThat(text(heap)).isEqualTo("dire");
      ByteBuffer into = ByteBuffer.allocateDirect(20).put((byte) '>');
      assertThat(b.read(into)).isEqualTo(2);
      assertThat(text(into)).isEqualTo(">ct");
      a.close();
      b.close();
    });
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void misuse_isRefusedAndLosesNothing(Place place, Pipe pipe) throws Exception {
    Fds.write(pipe.writeFd(), "xyz");
    place.run(() -> {
      FdChannel in = FdChannel.borrow(pipe.readFd());
      ByteBuffer readOnly = ByteBuffer.allocate(8).asReadOnlyBuffer();
      assertThatThrownBy(() -> in.read(readOnly)).isInstanceOf(IllegalArgumentException.class);
      ByteBuffer[] second = {ByteBuffer.allocate(1), readOnly};
      assertThatThrownBy(() -> in.read(second)).isInstanceOf(IllegalArgumentException.class);
      assertThat(in.read(ByteBuffer.allocate(0))).isZero();
      assertThatThrownBy(() -> in.read(second, 1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
      ByteBuffer all = ByteBuffer.allocate(8);
      assertThat(in.read(all)).isEqualTo(3);
      assertThat(text(all)).isEqualTo("xyz");
    });
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void closedChannel_isClosedForEveryCall(Place place) throws Exception {
    Fds.Pair pair = Fds.socketPair();
    Fds.write(pair.b(), "x");
    place.run(() -> {
      FdChannel channel = FdChannel.own(pair.a());
      channel.close();
      ByteBuffer one = ByteBuffer.allocate(1);
      ByteBuffer none = ByteBuffer.allocate(0);
      assertClosed(() -> channel.read(one));
      assertClosed(() -> channel.read(one, SHORT));
      assertClosed(() -> channel.read(none));
      assertClosed(() -> channel.read(new ByteBuffer[] {one}));
      assertClosed(() -> channel.read(new ByteBuffer[] {none}));
      assertClosed(() -> channel.write(one));
      assertClosed(() -> channel.write(none));
      assertClosed(() -> channel.write(one, SHORT));
      assertClosed(() -> channel.write(new ByteBuffer[] {one}));
      assertClosed(() -> channel.write(new ByteBuffer[0]));
    });
    Fds.close(pair.b());
  }

  private static void assertClosed(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(ClosedChannelException.class);
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void timeouts_giveWhatWasDoneUntilThen(Place place, SocketPair pair) throws Exception {
    place.run(() -> {
      FdChannel a = FdChannel.borrow(pair.a());
      assertThat(a.read(ByteBuffer.allocate(1), SHORT)).isZero();
      assertThat(a.read(ByteBuffer.allocate(1), Duration.ZERO)).isZero();
      ByteBuffer big = ByteBuffer.allocate(8 << 20);
      int written = a.write(big, SHORT);
      assertThat(written).isPositive().isLessThan(big.capacity());
      assertThat(big.position()).isEqualTo(written);
      assertThat(a.write(big, Duration.ZERO)).isZero();
      Fds.write(pair.b(), "x");
      assertThat(a.read(ByteBuffer.allocate(8), Duration.ZERO)).isOne();
    });
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void gatherAndScatter_goThroughTheBuffersInOrder(Place place, SocketPair pair) throws Exception {
    place.run(() -> {
      FdChannel a = FdChannel.borrow(pair.a());
      FdChannel b = FdChannel.borrow(pair.b());
      ByteBuffer[] from = {bytes("no"), bytes("ab"), bytes(""), bytes("cdefg"), bytes("no")};
      assertThat(a.write(from, 1, 3)).isEqualTo(7);
      assertThat(from[0].remaining()).isEqualTo(2);
      ByteBuffer[] to = {ByteBuffer.allocate(3), ByteBuffer.allocateDirect(9)};
      assertThat(b.read(to)).isEqualTo(7);
      assertThat(text(to[0]) + "|" + text(to[1])).isEqualTo("abc|defg");
      assertThat(a.write(new ByteBuffer[] {bytes("xyz")})).isEqualTo(3);
      ByteBuffer[] exact = {ByteBuffer.allocate(3), ByteBuffer.allocate(3)};
      assertThat(b.read(exact)).as("does not wait for more").isEqualTo(3);
    });
  }

  // ---- ends

  @ParameterizedTest
  @EnumSource(Place.class)
  void endOfStream_isMinusOneAgainAndAgain(Place place) throws Exception {
    for (Fds.Pair pair : List.of(Fds.pipe(), Fds.blockingPipe(), Fds.socketPair())) {
      Fds.write(pair.b(), "x");
      Fds.close(pair.b());
      place.run(() -> {
        try (FdChannel in = FdChannel.borrow(pair.a())) {
          ByteBuffer to = ByteBuffer.allocate(4);
          assertThat(in.read(to)).isOne();
          assertThat(in.read(to)).isEqualTo(-1);
          assertThat(in.read(new ByteBuffer[] {to})).isEqualTo(-1);
          assertThat(in.read(to, Duration.ZERO)).isEqualTo(-1);
        }
      });
      Fds.close(pair.a());
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void readerGone_isEpipe(Place place) throws Exception {
    for (Fds.Pair pair : List.of(Fds.pipe(), Fds.blockingPipe(), Fds.socketPair())) {
      Fds.close(pair.a());
      place.run(() -> {
        try (FdChannel out = FdChannel.borrow(pair.b())) {
          assertThatThrownBy(() -> out.write(bytes("x")))
              .isInstanceOf(ErrnoException.class)
              .hasMessage("write(fd " + pair.b() + "): EPIPE (Broken pipe)");
          assertThat(out.isOpen()).isTrue();
        }
      });
      Fds.close(pair.b());
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void ptyWhoseSlaveIsGone_isAtItsEnd(Place place) throws Exception {
    for (boolean owned : new boolean[] {true, false}) {
      Fds.Pair pty = Opened.pty();
      place.run(() -> {
        FdChannel master = owned ? FdChannel.own(pty.a()) : FdChannel.borrow(pty.a());
        Fds.write(pty.b(), "hi");
        ByteBuffer to = ByteBuffer.allocate(8);
        assertThat(master.read(to)).isEqualTo(2);
        Fds.close(pty.b());
        assertThat(master.read(to)).isEqualTo(-1);
        assertThat(text(to)).isEqualTo("hi");
        master.close();
      });
      pty.close();
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void regularFile_readsToItsEnd(Place place, @TempDir Path dir) throws Exception {
    Path file = Files.writeString(dir.resolve("file"), "content");
    place.run(() -> {
      try (FdChannel in = FdChannel.own(Opened.file(file, Linux.O_RDONLY))) {
        ByteBuffer to = ByteBuffer.allocate(100);
        assertThat(in.read(to)).isEqualTo(7);
        assertThat(in.read(to)).isEqualTo(-1);
        assertThat(text(to)).isEqualTo("content");
      }
    });
  }

  @Test
  void toString_namesTheDescriptor(Pipe pipe) throws Exception {
    FdChannel channel = FdChannel.borrow(pipe.readFd());
    assertThat(channel).hasToString("channel on fd " + pipe.readFd() + ", borrowed");
    channel.close();
    assertThat(channel.toString()).contains("closed");
  }
}
