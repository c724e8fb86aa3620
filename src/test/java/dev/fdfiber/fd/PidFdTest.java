package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.FdChannel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Opened;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

@FdTest
class PidFdTest {

  static String readAll(FdChannel channel) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(100_000);
    while (channel.read(all) >= 0) {}
    return StandardCharsets.UTF_8.decode(all.flip()).toString();
  }

  private static boolean exists(long pid) {
    return Files.exists(Path.of("/proc/" + pid));
  }

  @EachPlace
  void spawned_exitsWithAStatus_toldAsOftenAsAsked(Where where) throws Exception {
    where.run(() -> {
      try (Pipe gate = Pipe.open();
          PidFd child =
              PidFd.spawn(Command.of("sh", "-c", "read x; exit $x").fd(0, gate.readFd()))) {
        assertThat(Opened.isCloseOnExec(child.fd())).isTrue();
        assertThat(child.await(Duration.ofNanos(1))).isEmpty();
        Where.Beside other = Where.start(() -> assertThat(child.await()).isEqualTo(exited(3)));
        gate.writer().write(ByteBuffer.wrap("3\n".getBytes(StandardCharsets.UTF_8)));
        assertThat(child.await()).isEqualTo(exited(3));
        assertThat(child.await()).isEqualTo(exited(3));
        other.join();
        assertThat(exists(child.pid())).as("no zombie").isFalse();
        assertThat(child.signal("TERM")).as("already gone").isFalse();
      }
    });
  }

  private static PidFd.Exit exited(int status) {
    return new PidFd.Exited(status);
  }

  @EachPlace
  void signals_endIt_andAreNamed(Where where) throws Exception {
    where.run(() -> {
      for (String name : List.of("TERM", "SIGKILL", "int")) {
        try (PidFd child = PidFd.spawn(Command.of("sleep", "1000"))) {
          assertThat(child.signal(name)).isTrue();
          String plain = name.toUpperCase(java.util.Locale.ROOT).replace("SIG", "");
          assertThat(child.await()).isEqualTo(new PidFd.Killed(plain, false));
          assertThat(child.kill()).isFalse();
        }
      }
    });
  }

  @EachPlace
  void processOfTheJdk_isAskedForItsStatus(Where where) throws Exception {
    where.run(() -> {
      Process process = new ProcessBuilder("sh", "-c", "read x; exit 5").start();
      try (PidFd pidFd = PidFd.of(process)) {
        assertThat(pidFd.await(Duration.ZERO)).isEmpty();
        process.getOutputStream().close();
        assertThat(pidFd.await()).isEqualTo(exited(5));
        assertThat(process.exitValue()).isEqualTo(5);
      }
      try (PidFd late = PidFd.of(process)) {
        assertThat(late.await()).isEqualTo(exited(5));
        assertThat(late.signal("TERM")).isFalse();
        assertThat(late.fd()).isEqualTo(-1);
        assertThat(late).hasToString("pidfd of " + process.pid() + ", ended");
      }
    });
  }

  @EachPlace
  void processOfOthers_isJustGone(Where where) throws Exception {
    where.run(() -> {
      Process process = new ProcessBuilder("sleep", "1000").start();
      try (PidFd pidFd = PidFd.of(process.pid())) {
        assertThat(pidFd.kill()).isTrue();
        assertThat(pidFd.await()).isEqualTo(new PidFd.Gone());
        assertThat(process.waitFor()).isEqualTo(128 + 9);
      }
      assertThatThrownBy(() -> PidFd.of(Integer.MAX_VALUE))
          .isInstanceOf(ErrnoException.class)
          .hasMessageContaining("ESRCH");
    });
  }

  @EachPlace
  void closed_leavesNoChild(Where where) throws Exception {
    where.run(() -> {
      PidFd child = PidFd.spawn(Command.of("sleep", "1000"));
      Where.assertCancellable(child::await);
      assertThat(exists(child.pid())).isTrue();
      if (where.isFiber()) {
        Where.Beside waiter = Where.start(child::await);
        child.close();
        assertThatThrownBy(waiter::join).isInstanceOf(ClosedChannelException.class);
      }
      child.close();
      assertThat(exists(child.pid())).isFalse();
      child.close();
      assertThat(child.await()).isEqualTo(new PidFd.Killed("KILL", false));
      assertThatThrownBy(() -> child.signal("TERM")).isInstanceOf(ClosedChannelException.class);
    });
  }

  @EachPlace
  void chosenDescriptors_andNoOthers_areTheProgram_s(Where where) throws Exception {
    where.run(() -> {
      try (Pipe out = Pipe.open();
          Pipe five = Pipe.open()) {
        Command command =
            Command.of("sh", "-c", "echo $VARIABLE in $PWD; ls /proc/self/fd; echo five >&5")
                .environment("VARIABLE", "a value")
                .directory(Path.of("/"))
                .fd(1, out.writeFd())
                .fd(5, five.writeFd());
        try (PidFd child = PidFd.spawn(command)) {
          out.closeWriter();
          five.closeWriter();
          List<String> lines = readAll(out.reader()).lines().toList();
          assertThat(lines.getFirst()).isEqualTo("a value in /");
          // and one more, by which ls reads the directory
          assertThat(lines.subList(1, lines.size())).containsExactly("0", "1", "2", "3", "5");
          assertThat(readAll(five.reader())).isEqualTo("five\n");
          assertThat(child.await()).isEqualTo(exited(0));
        }
      }
    });
  }

  private static String proc(int fd) {
    return "/proc/self/fd/" + fd;
  }

  @Test
  void descriptorsThatTradePlaces_doNotOverwriteEachOther() throws Exception {
    try (Pipe a = Pipe.open();
        Pipe b = Pipe.open()) {
      Command command =
          Command.of(
                  "sh",
                  "-c",
                  "echo to-a >" + proc(b.writeFd()) + "; echo to-b >" + proc(a.writeFd()))
              .fd(b.writeFd(), a.writeFd())
              .fd(a.writeFd(), b.writeFd());
      try (PidFd child = PidFd.spawn(command)) {
        a.closeWriter();
        b.closeWriter();
        assertThat(readAll(a.reader())).isEqualTo("to-a\n");
        assertThat(readAll(b.reader())).isEqualTo("to-b\n");
        assertThat(child.await()).isEqualTo(exited(0));
      }
    }
  }

  @Test
  void whatCannotStart_isTold() {
    assertThatThrownBy(() -> PidFd.spawn(Command.of("no-such-program")))
        .isInstanceOf(ErrnoException.class)
        .hasMessage("posix_spawnp no-such-program: ENOENT (No such file or directory)");
    assertThatThrownBy(() -> PidFd.spawn(Command.of("true").fd(1, Opened.notOpen())))
        .isInstanceOf(ErrnoException.class)
        .hasMessageContaining("EBADF");
    for (Runnable bad :
        List.<Runnable>of(
            () -> Command.of(),
            () -> Command.of("a\0b"),
            () -> Command.of("a").fd(-1, 1),
            () -> Command.of("a").environment("A=B", "c"))) {
      assertThatThrownBy(bad::run).isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(
            () -> {
              try (PidFd self = PidFd.of(ProcessHandle.current().pid())) {
                self.signal("NONSENSE");
              }
            })
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("NONSENSE");
  }
}
