package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@FdTest
@ExtendWith(LeftBehind.class)
class PipeTest {

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  @EachPlace
  void bytes_goThrough_andTheEndFollowsThem(Where where) throws Exception {
    where.run(() -> {
      try (Pipe pipe = Pipe.open()) {
        ByteBuffer read = ByteBuffer.allocate(10);
        Where.Beside reader =
            Where.start(() -> {
              while (pipe.reader().read(read) >= 0) {}
            });
        pipe.writer().write(bytes("one"));
        pipe.writer().write(bytes("two"));
        pipe.closeWriter();
        reader.join();
        assertThat(StandardCharsets.UTF_8.decode(read.flip()).toString()).isEqualTo("onetwo");
      }
    });
  }

  @EachPlace
  void noReader_isEpipe(Where where) throws Exception {
    where.run(() -> {
      try (Pipe pipe = Pipe.open()) {
        pipe.closeReader();
        assertThatThrownBy(() -> pipe.writer().write(bytes("x")))
            .isInstanceOfSatisfying(
                ErrnoException.class, e -> assertThat(e.name()).isEqualTo("EPIPE"));
      }
    });
  }

  @EachPlace
  void waits_endByCancelAndByClose(Where where) throws Exception {
    where.run(() -> {
      try (Pipe pipe = Pipe.open()) {
        Where.assertCancellable(() -> pipe.reader().read(ByteBuffer.allocate(1)));
        pipe.writer().write(bytes("x"));
        assertThat(pipe.reader().read(ByteBuffer.allocate(1))).isEqualTo(1);
        Where.assertWokenByClose(() -> pipe.reader().read(ByteBuffer.allocate(1)), pipe);
      }
    });
  }

  @Test
  void ends_areCloseOnExec_andOnlyAChannelDoesNotBlock() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      assertThat(Opened.isCloseOnExec(pipe.readFd())).isTrue();
      assertThat(Opened.isCloseOnExec(pipe.writeFd())).isTrue();
      assertThat(pipe.reader()).isSameAs(pipe.reader());
      assertThat(pipe.reader().fd()).isEqualTo(pipe.readFd());
      assertThat(Fds.isNonblocking(pipe.readFd())).isTrue();
      assertThat(Fds.isNonblocking(pipe.writeFd())).isFalse();
      assertThat(pipe.capacity(1 << 17)).isEqualTo(1 << 17).isEqualTo(pipe.capacity());
      assertThat(pipe).hasToString("pipe from fd " + pipe.writeFd() + " to fd " + pipe.readFd());
    }
  }

  @Test
  void aProgramsOutput_isRead() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      Process echo =
          new ProcessBuilder("sh", "-c", "echo hello")
              .redirectOutput(new File("/proc/self/fd/" + pipe.writeFd()))
              .start();
      pipe.closeWriter();
      ByteBuffer read = ByteBuffer.allocate(100);
      while (pipe.reader().read(read) >= 0) {}
      assertThat(new String(read.array(), 0, read.position(), StandardCharsets.UTF_8))
          .isEqualTo("hello\n");
      assertThat(echo.waitFor()).isZero();
    }
  }

  @Test
  void closedEnd_givesNoChannel_andItsNumberIsLeftAlone() throws Exception {
    Pipe pipe = Pipe.open();
    pipe.closeWriter();
    assertThatThrownBy(pipe::writer).isInstanceOf(ClosedChannelException.class);
    int reused = Opened.dupFrom(pipe.writeFd(), pipe.readFd());
    assertThat(reused).isEqualTo(pipe.writeFd());
    pipe.close();
    pipe.close();
    assertThat(Fds.isOpen(reused)).isTrue();
    Fds.close(reused);
  }

  @Test
  void capacity_withOneEndLeft_isAskedOfThatOne() throws Exception {
    Pipe pipe = Pipe.open();
    pipe.closeReader();
    assertThat(pipe.capacity(1 << 17)).isEqualTo(1 << 17).isEqualTo(pipe.capacity());
    pipe.writer().close();
    assertThatThrownBy(pipe::capacity).isInstanceOf(ClosedChannelException.class);
    assertThatThrownBy(() -> pipe.capacity(1)).isInstanceOf(ClosedChannelException.class);
    pipe.close();
  }
}
