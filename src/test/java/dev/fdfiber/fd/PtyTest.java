package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Opened;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A shell on a pseudoterminal. */
@FdTest
@ExtendWith(LeftBehind.class)
class PtyTest {

  static void type(Pty pty, String text) throws IOException {
    pty.channel().write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** Reads until a text has come; what has come, or fails at the end. */
  static String expect(Pty pty, String text) throws IOException {
    StringBuilder all = new StringBuilder();
    ByteBuffer some = ByteBuffer.allocate(1000);
    while (all.indexOf(text) < 0) {
      int n = pty.channel().read(some.clear(), Duration.ofSeconds(30));
      assertThat(n).as("expecting '%s' after '%s'", text, all).isPositive();
      all.append(StandardCharsets.UTF_8.decode(some.flip()));
    }
    return all.toString();
  }

  @EachPlace
  void shell_hasItForItsTerminal_andItsEndIsTheEndOfFile(Where where) throws Exception {
    where.run(() -> {
      try (Pty pty = Pty.open()) {
        assertThat(Opened.isCloseOnExec(pty.fd())).isTrue();
        assertThat(pty.channel().read(ByteBuffer.allocate(1), Duration.ofNanos(1)))
            .as("nobody has opened the other side")
            .isZero();
        pty.windowSize(new WindowSize(24, 80));
        Command shell =
            Command.of("sh", "-c", "tty; stty size; ps -o sid=,pid= $$ </dev/tty; read x; exit $x");
        try (PidFd child = pty.spawn(shell)) {
          String said = expect(pty, " " + child.pid());
          assertThat(said.lines().map(String::strip))
              .startsWith(pty.slave().toString(), "24 80")
              .anyMatch(line -> line.replaceAll(" +", " ").equals(child.pid() + " " + child.pid()));
          type(pty, "7\n");
          assertThat(PidFdTest.readAll(pty.channel())).as("the echo, then the end").contains("7");
          assertThat(child.await()).isEqualTo(new PidFd.Exited(7));
        }
      }
    });
  }

  @EachPlace
  void controlC_interruptsTheProgramInFront(Where where) throws Exception {
    where.run(() -> {
      try (Pty pty = Pty.open();
          PidFd child = pty.spawn(Command.of("sh", "-c", "echo up; exec sleep 1000"))) {
        expect(pty, "up");
        type(pty, "\003");
        assertThat(child.await()).isEqualTo(new PidFd.Killed("INT", false));
      }
    });
  }

  @EachPlace
  void closed_hangsTheSessionUp(Where where) throws Exception {
    where.run(() -> {
      try (Pty pty = Pty.open();
          PidFd child = pty.spawn(Command.of("sleep", "1000"))) {
        Where.assertCancellable(() -> PidFdTest.readAll(pty.channel()));
        Where.assertWokenByClose(() -> PidFdTest.readAll(pty.channel()), pty);
        assertThat(child.await()).isEqualTo(new PidFd.Killed("HUP", false));
      }
    });
  }

  @EachPlace
  void windowThatChanges_isTold(Where where) throws Exception {
    where.run(() -> {
      try (Pty pty = Pty.open();
          PidFd child =
              pty.spawn(
                  Command.of(
                      "sh",
                      "-c",
                      "trap 'stty size' WINCH; echo up; while :; do read line; done"))) {
        expect(pty, "up");
        pty.windowSize(new WindowSize(50, 132));
        assertThat(pty.windowSize()).isEqualTo(new WindowSize(50, 132));
        type(pty, "\n"); // a shell that was about to read when it was told would read on
        expect(pty, "50 132");
        assertThat(child.kill()).isTrue();
      }
    });
  }

  @EachPlace
  void settings_ofTheTerminal_areSetFromThisSide_andReset(Where where) throws Exception {
    where.run(() -> {
      try (Pty pty = Pty.open();
          PidFd child = pty.spawn(Command.of("cat"))) {
        TerminalSettings before = pty.settings();
        assertThat(before.isEchoing()).isTrue();
        assertThat(before.isByLines()).isTrue();
        pty.settings(before.raw());
        type(pty, "once");
        assertThat(expect(pty, "once")).isEqualTo("once");
        pty.settings(before);
        assertThat(pty.settings()).isEqualTo(before);
        type(pty, "twice\n");
        assertThat(expect(pty, "twice\r\ntwice\r\n")).isEqualTo("twice\r\ntwice\r\n");
        type(pty, "\004"); // Ctrl-D
        assertThat(child.await()).isEqualTo(new PidFd.Exited(0));
        assertThat(PidFdTest.readAll(pty.channel())).isEmpty();
      }
    });
  }

  @Test
  void programOutput_canGoElsewhere() throws Exception {
    try (Pty pty = Pty.open();
        Pipe out = Pipe.open();
        PidFd child = pty.spawn(Command.of("sh", "-c", "tty; exit 1").fd(1, out.writeFd()))) {
      out.closeWriter();
      assertThat(PidFdTest.readAll(out.reader())).isEqualTo(pty.slave() + "\n");
      assertThat(child.await()).isEqualTo(new PidFd.Exited(1));
    }
  }

  @Test
  void timing_isRoundedUpToTenthsOfASecond() throws Exception {
    try (Pty pty = Pty.open()) {
      TerminalSettings settings = pty.settings();
      assertThat(settings.timing(1, Duration.ofNanos(1)).pause()).isEqualTo(Duration.ofMillis(100));
      assertThat(settings.timing(1, Duration.ofMillis(101)).pause()).hasMillis(200);
      assertThat(settings.timing(1, Duration.ofMillis(25_500)).pause()).hasMillis(25_500);
      assertThat(settings.timing(1, Duration.ZERO).pause()).isZero();
    }
  }

  @Test
  void badInput_isRefused() throws Exception {
    assertThatThrownBy(() -> new WindowSize(-1, 80)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new WindowSize(1, 70_000))
        .isInstanceOf(IllegalArgumentException.class);
    try (Pty pty = Pty.open()) {
      assertThatThrownBy(() -> pty.settings().rate(0)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> pty.settings().timing(256, Duration.ZERO))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> pty.settings().timing(1, Duration.ofMillis(25_501)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> pty.settings().timing(1, Duration.ofSeconds(Long.MAX_VALUE)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> Tty.open(Path.of("/dev/null"))).hasMessageContaining("ENOTTY");
      assertThatThrownBy(() -> Tty.open(Path.of("/dev/none"))).hasMessageContaining("ENOENT");
    }
  }
}
