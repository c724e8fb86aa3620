package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.kernel.SignalNumbers;
import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.FdTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@FdTest
@ExtendWith(LeftBehind.class)
class SignalsTest {

  private static void toMyself(String name) throws Exception {
    try (PidFd self = PidFd.of(ProcessHandle.current().pid())) {
      assertThat(self.signal(name)).isTrue();
    }
  }

  /** Those that this JVM was not started to ignore, as nohup(1) starts it. */
  private static List<String> names() throws IOException {
    String status = Files.readString(Path.of("/proc/self/status"));
    String mask = status.replaceAll("(?s).*SigIgn:\\s+(\\p{XDigit}+).*", "$1");
    long ignored = Long.parseUnsignedLong(mask, 16);
    return Stream.of("TERM", "INT", "HUP", "USR1", "USR2", "WINCH", "CONT")
        .filter(name -> (ignored & 1L << (SignalNumbers.of(name) - 1)) == 0)
        .toList();
  }

  @EachPlace
  void each_comesToWhoeverWaits(Where where) throws Exception {
    where.run(() -> {
      for (String name : names()) {
        try (Signals signals = Signals.of("SIG" + name);
            Signals others = Signals.of(name)) {
          assertThat(signals.await(Duration.ZERO)).isEmpty();
          Where.Beside waiter = Where.start(() -> assertThat(signals.await()).isEqualTo(name));
          toMyself(name);
          waiter.join();
          assertThat(others.await()).isEqualTo(name);
        }
      }
    });
  }

  @EachPlace
  void severalKinds_comeApart_andChildrenTell(Where where) throws Exception {
    where.run(() -> {
      try (Signals signals = Signals.of("USR1", "CHLD")) {
        try (PidFd child = PidFd.spawn(Command.of("true"))) {
          child.await();
        }
        assertThat(signals.await()).isEqualTo("CHLD");
        toMyself("USR1");
        String next;
        do {
          next = signals.await();
        } while (next.equals("CHLD")); // children of other tests
        assertThat(next).isEqualTo("USR1");
        assertThat(signals.toString()).contains("[USR1, CHLD]");
      }
    });
  }

  @EachPlace
  void waits_endByCancelAndByClose(Where where) throws Exception {
    where.run(() -> {
      try (Signals signals = Signals.of("USR1")) {
        Where.assertCancellable(signals::await);
        toMyself("USR1");
        assertThat(signals.await()).isEqualTo("USR1");
        Where.assertWokenByClose(signals::await, signals);
      }
    });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"QUIT", "SEGV", "SIGBUS", "FPE", "ILL", "TRAP", "PIPE", "XFSZ", "KILL", "STOP"})
  void thoseOfTheJvmAndTheKernel_areRefusedByName(String name) {
    assertThatThrownBy(() -> Signals.of("USR1", name))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("SIG" + name.replace("SIG", ""))
        .hasMessageContaining("cannot be had: ");
  }

  @Test
  void unknownSignal_isRefused() {
    assertThatThrownBy(() -> Signals.of("FOO"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("FOO");
  }

  /** Takes a SIGTERM, closes, and is ended by the next. */
  static final class Program {
    public static void main(String[] args) throws Exception {
      try (Signals signals = Signals.of("TERM")) {
        toMyself("TERM");
        System.out.println("got " + signals.await());
      }
      toMyself("TERM");
      Thread.sleep(60_000); // sleeps on purpose: a signal ends it
      System.out.println("too late");
    }
  }

  @Test
  @Tag("slow")
  void closed_theSignalEndsTheJvmAgain(@TempDir Path directory) throws Exception {
    ChildJvm.Result result =
        new ChildJvm(ChildJvm.FIBER_FLAGS).run(directory, Program.class.getName());
    assertThat(result.out()).isEqualTo("got TERM\n");
    assertThat(result.status()).isEqualTo(128 + 15);
  }

  @Test
  @Tag("slow")
  void reducedSignals_areRefusedByTheJvm_andItSaysSo(@TempDir Path directory) throws Exception {
    List<String> flags = new java.util.ArrayList<>(ChildJvm.FIBER_FLAGS);
    flags.add("-Xrs");
    ChildJvm.Result result = new ChildJvm(flags).run(directory, Program.class.getName());
    assertThat(result.errors())
        .contains("IllegalStateException: no handler for SIGTERM: ")
        .contains("Signal already used by VM or OS: SIGTERM");
  }
}
