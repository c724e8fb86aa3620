package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Terminals and standard streams; a pseudoterminal is the hardware. */
@FdTest
@ExtendWith(LeftBehind.class)
class TtyTest {

  private static String read(Tty tty, int room) throws Exception {
    ByteBuffer some = ByteBuffer.allocate(room);
    int n = tty.read(some);
    assertThat(n).isEqualTo(some.position());
    return StandardCharsets.UTF_8.decode(some.flip()).toString();
  }

  @EachPlace
  void lines_comeWhole_andTheirEndIsNotFinal(Where where) throws Exception {
    where.run(() -> {
      try (Pty pty = Pty.open();
          Tty tty = Tty.open(pty.slave())) {
        PtyTest.type(pty, "one\ntwo\n\004three\n");
        assertThat(read(tty, 100)).isEqualTo("one\n");
        assertThat(read(tty, 100)).isEqualTo("two\n");
        assertThat(tty.read(ByteBuffer.allocate(1))).as("Ctrl-D").isEqualTo(-1);
        assertThat(read(tty, 100)).isEqualTo("three\n");
        Where.assertCancellable(() -> tty.read(ByteBuffer.allocate(1)));
        Where.assertWokenByClose(() -> tty.read(ByteBuffer.allocate(1)), tty);
      }
    });
  }

  @EachPlace
  void settings_areInForce_andComeBackOnClose(Where where) throws Exception {
    where.run(() -> {
      try (Pty pty = Pty.open()) {
        TerminalSettings before = pty.settings();
        try (Tty tty = Tty.open(pty.slave());
            Tty borrowed = Tty.borrow(tty.fd())) {
          tty.raw();
          assertThat(pty.settings().isEchoing()).isFalse();
          for (int rate : new int[] {9600, 115_200, 250_000}) {
            tty.settings(tty.settings().rate(rate).echo(true));
            assertThat(tty.settings().rate()).isEqualTo(rate);
          }
          assertThat(borrowed.settings()).isEqualTo(tty.settings());
          pty.windowSize(new WindowSize(1, 2));
          assertThat(tty.windowSize()).isEqualTo(new WindowSize(1, 2));
          assertThat(tty.settings()).hasToString("raw, echo, 250000 bits/s");
        }
        assertThat(pty.settings()).isEqualTo(before).hasSameHashCodeAs(before);
      }
    });
  }

  @EachPlace
  void minAndTime_endAReadAsTermiosSays(Where where) throws Exception {
    where.run(() -> {
      try (Pty pty = Pty.open();
          Tty tty = Tty.open(pty.slave())) {
        TerminalSettings raw = tty.settings().raw();
        Duration tenth = Duration.ofMillis(100);

        tty.settings(raw.timing(0, Duration.ZERO));
        assertThat(tty.read(ByteBuffer.allocate(9))).isZero();

        tty.settings(raw.timing(0, tenth));
        assertThat(tty.read(ByteBuffer.allocate(9))).isZero();
        typeAndArrive(pty, tty, "a");
        assertThat(read(tty, 9)).isEqualTo("a");

        tty.settings(raw.timing(3, Duration.ZERO));
        PtyTest.type(pty, "ab");
        List<String> got = new ArrayList<>();
        Where.Beside reader = Where.start(() -> got.add(read(tty, 9)));
        PtyTest.type(pty, "cd");
        reader.join();
        assertThat(got.getFirst()).hasSizeGreaterThanOrEqualTo(3);
        assertThat("abcd").startsWith(got.getFirst());

        tty.settings(raw.timing(200, tenth));
        typeAndArrive(pty, tty, "some");
        assertThat(read(tty, 9)).endsWith("some");
      }
    });
  }

  /**
   * A worker of the kernel's carries what is typed, and need not come within a tenth of a second.
   */
  private static void typeAndArrive(Pty pty, Tty tty, String text) throws Exception {
    int before = Fds.unread(tty.fd());
    PtyTest.type(pty, text);
    while (Fds.unread(tty.fd()) < before + text.length()) {
      Scheduler.pause(0);
    }
  }

  @EachPlace
  void hungUp_itIsAtItsEnd_andClosesAllTheSame(Where where) throws Exception {
    where.run(() -> {
      try (Pty pty = Pty.open();
          Tty tty = Tty.open(pty.slave())) {
        tty.raw();
        pty.close();
        assertThat(tty.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        assertThatThrownBy(tty::settings).hasMessageContaining("EIO");
        tty.close();
        assertThatThrownBy(tty::settings).isInstanceOf(ClosedChannelException.class);
      }
    });
  }

  /** Echoes lines from standard input until the second end of it, without its flags changed. */
  static final class Program {
    public static void main(String[] args) throws Exception {
      try (Stdio stdio = Stdio.open();
          Tty tty = Tty.borrow(0)) {
        tty.settings(tty.settings().echo(false));
        StringBuilder flags = new StringBuilder();
        for (int fd = 0; fd < 3; fd++) {
          boolean blocks = (Kernel.system().fcntl(fd, Linux.F_GETFL, 0) & Linux.O_NONBLOCK) == 0;
          flags.append(blocks ? " blocks" : " does not");
        }
        stdio.print("up" + flags + "\n");
        for (int ends = 0; ends < 2; ) {
          String line = stdio.readLine().orElse("(end)");
          ends += line.equals("(end)") ? 1 : 0;
          stdio.print("<" + line + ">\n");
        }
        if (args.length > 0) {
          System.exit(3); // with the terminal's settings changed
        }
      }
    }
  }

  @Test
  @Tag("slow")
  void standardStreams_onATerminal_andItsSettingsAreBackAtExit() throws Exception {
    try (Pty pty = Pty.open();
        Tty keepsItOpen = Tty.open(pty.slave())) {
      TerminalSettings before = pty.settings(); // before the program may change them
      try (PidFd child = pty.spawn(Command.of(FdJvm.words(Program.class, "exit")))) {
        PtyTest.expect(pty, "up blocks blocks blocks");
        assertThat(pty.settings().isEchoing()).isFalse();
        PtyTest.type(pty, "hello\n");
        PtyTest.expect(pty, "<hello>");
        PtyTest.type(pty, "\004");
        PtyTest.expect(pty, "<(end)>");
        PtyTest.type(pty, "more\n\004");
        PtyTest.expect(pty, "<more>");
        assertThat(child.await()).isEqualTo(new PidFd.Exited(3));
      }
      assertThat(pty.settings()).isEqualTo(before);
      assertThat(keepsItOpen.settings()).isEqualTo(before);
    }
  }
}
