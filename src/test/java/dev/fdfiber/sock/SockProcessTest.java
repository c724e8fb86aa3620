package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.Tools;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.TempFifo;
import java.io.File;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sock: this process and others. */
@FdTest
class SockProcessTest {
  private static final String LARGE =
      "head -c 300000 /dev/zero; head -c 200000 /dev/zero | tr '\\0' e >&2; exit 3";

  @ParameterizedTest
  @EnumSource(Place.class)
  void shell_losesNothing(Place place) throws Exception {
    byte[] errors = new byte[200_000];
    Arrays.fill(errors, (byte) 'e');
    place.run(() -> {
      ShellResult result = Sock.shellCapture(LARGE, 0);
      assertThat(result.exitStatus()).isEqualTo(3);
      assertThat(Arrays.equals(result.output(), new byte[300_000])).isTrue();
      assertThat(Arrays.equals(result.errorOutput(), errors)).isTrue();
      ShellResult cut = Sock.shellCapture(LARGE, 10);
      assertThat(cut.exitStatus()).isEqualTo(3);
      assertThat(cut.output()).hasSize(10);
      assertThat(cut.errorOutput()).hasSize(10);
      ShellResult echo = Sock.shellCapture("echo Grüße; cat; kill -9 $$", 0);
      assertThat(new String(echo.output(), StandardCharsets.UTF_8)).isEqualTo("Grüße\n");
      assertThat(echo.exitStatus()).isEqualTo(128 + 9);
      assertThatThrownBy(() -> Sock.shellCapture("true", -1))
          .isInstanceOf(IllegalArgumentException.class);
    });
  }

  @Test
  void shell_holdsNoOtherFiber(Scheduler s) {
    Fiber shell = s.spawn(() -> Sock.shellCapture("read line", 0));
    Fiber other = s.spawn(() -> Sock.sleepMs(1));
    s.run();
    assertThat(shell.failure()).isEmpty();
    assertThat(other.failure()).isEmpty();
  }

  @Test
  void r20_cancelledShell_leavesNoProcess(Scheduler s, TempFifo fifo) throws Exception {
    int in = fifo.openForReading();
    String command = "sleep 1000 & echo $! $$ > " + fifo.path() + "; echo up; wait";
    Fiber shell = s.spawn(() -> Sock.shellCapture(command, 0));
    String[] pids = new String[1];
    s.spawn(() -> {
      Scheduler.ioWait(in, Scheduler.READ, -1);
      pids[0] = new String(Sock.recvSome(in, 0), StandardCharsets.US_ASCII);
      shell.cancel();
    });
    s.run();
    assertThat(shell.failure()).get().isInstanceOf(InterruptedIOException.class);
    for (String pid : pids[0].strip().split(" ", -1)) {
      while (runs(Long.parseLong(pid))) {
        Scheduler.pause(0);
      }
    }
  }

  /**
   * One that was killed has no program any more, and stays until whoever got it takes its status.
   */
  private static boolean runs(long pid) {
    return ProcessHandle.of(pid).flatMap(process -> process.info().command()).isPresent();
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void sleepMs_neverEndsEarly(Place place) throws Exception {
    place.run(() -> {
      long start = System.nanoTime();
      Sock.sleepMs(20);
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(20_000_000);
      Sock.sleepMs(0);
      Sock.sleepMs(Long.MIN_VALUE);
    });
  }

  @Test
  void r20_cancelledSleep_isInterrupted(Scheduler s) {
    Fiber sleeper = s.spawn(() -> Sock.sleepMs(Long.MAX_VALUE));
    s.runUntilEmpty();
    sleeper.cancel();
    s.run();
    assertThat(sleeper.failure()).get().isInstanceOf(InterruptedIOException.class);
  }

  @Test
  void namesAndNumbers_areThoseOfUname() throws Exception {
    assertThat(Sock.getpid()).isEqualTo((int) ProcessHandle.current().pid());
    String uname = new String(Sock.shellCapture("uname -sm", 0).output(), StandardCharsets.UTF_8);
    assertThat(Sock.osKind() + " " + Sock.archKind() + "\n")
        .isEqualTo(uname.replace("Linux", "linux"));
  }

  /** A program that ends with status 7 when it is asked to. */
  static final class Child {
    public static void main(String[] words) throws Exception {
      Sock.installTermHandlers();
      Sock.installTermHandlers();
      System.out.println(Sock.shutdownRequested() ? "too early" : "up");
      while (!Sock.shutdownRequested()) {
        Sock.sleepMs(5);
      }
      Sock.exit(7);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT"})
  void termHandlers_setAFlagAndNothingElse(String signal) throws Exception {
    List<String> command = new ArrayList<>(Tools.gettingSignals());
    command.addAll(
        List.of(
            ProcessHandle.current().info().command().orElseThrow(),
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Child.class.getName()));
    Process child =
        new ProcessBuilder(command)
            .redirectInput(new File("/dev/null"))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (var out = child.inputReader()) {
      assertThat(out.readLine()).isEqualTo("up");
      Sock.shellCapture("kill -" + signal + " " + child.pid(), 0);
      assertThat(child.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(child.exitValue()).isEqualTo(7);
    } finally {
      child.destroyForcibly();
    }
  }
}
