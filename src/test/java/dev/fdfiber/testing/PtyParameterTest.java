package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.fd.Pty;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Timeout;

/** Ptys as parameters, alone and with a program on the other side. */
@Timeout(60)
class PtyParameterTest {
  @FdTest
  void program_hasThePtyForItsTerminal(Scheduler scheduler, @Program({"cat"}) Pty pty) {
    StringBuilder shown = new StringBuilder();
    scheduler.spawn(
        "terminal",
        () -> {
          pty.channel().write(bytes("hello\n"));
          while (shown.indexOf("hello\r\nhello\r\n") < 0) { // the terminal's echo, and cat's
            ByteBuffer buffer = ByteBuffer.allocate(100);
            assertThat(pty.channel().read(buffer)).isPositive();
            shown.append(StandardCharsets.UTF_8.decode(buffer.flip()));
          }
        });
    scheduler.run();
    assertThat(shown).hasToString("hello\r\nhello\r\n");
  }

  @FdTest
  void programThatEnds_isTheEndOfTheFile(
      Scheduler scheduler, VirtualClock clock, @Program({"sh", "-c", "echo done"}) Pty pty) {
    StringBuilder shown = new StringBuilder();
    scheduler.spawn(
        "terminal",
        () -> {
          ByteBuffer buffer = ByteBuffer.allocate(100);
          while (pty.channel().read(buffer) >= 0) {
            shown.append(StandardCharsets.UTF_8.decode(buffer.flip()));
            buffer.clear();
          }
        });
    scheduler.run();
    assertThat(shown).hasToString("done\r\n");
  }

  @FdTest(seeds = 10)
  void everySeed_hasAPtyAndAProgramOfItsOwn(Scheduler scheduler, @Program({"cat"}) Pty pty) {
    StringBuilder shown = new StringBuilder();
    scheduler.spawn("typist", () -> pty.channel().write(bytes("hello\n")));
    scheduler.spawn(
        "watcher",
        () -> {
          ByteBuffer buffer = ByteBuffer.allocate(100);
          while (shown.indexOf("hello\r\nhello\r\n") < 0) {
            assertThat(pty.channel().read(buffer.clear())).isPositive();
            shown.append(StandardCharsets.UTF_8.decode(buffer.flip()));
          }
        });
    scheduler.run();
    assertThat(shown).hasToString("hello\r\nhello\r\n");
  }

  @FdTest
  void ptyWithoutAProgram_isGivenAndClosed(Pty pty) {
    assertThat(Fds.isOpen(pty.fd())).isTrue();
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }
}
