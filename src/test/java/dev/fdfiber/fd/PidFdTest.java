package dev.fdfiber.fd;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.FdChannel;
import dev.fdfiber.FiberBody;
import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.SignalNumbers;
import dev.fdfiber.kernel.SpawnRequest;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Place;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@FdTest
@ExtendWith(LeftBehind.class)
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
      for (String name : List.of("TERM", "SIGKILL", "usr1")) {
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
      for (long none : new long[] {Integer.MAX_VALUE, (1L << 32) + process.pid()}) {
        assertThatThrownBy(() -> PidFd.of(none))
            .isInstanceOf(ErrnoException.class)
            .hasMessageContaining("ESRCH");
      }
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

  /** Answers pidfd_open, or the call that holds a descriptor, as if there were no more of them. */
  private static final class Full extends ForwardingKernel {
    final List<Integer> started = new ArrayList<>();
    boolean holds;
    boolean full;

    Full() {
      super(Kernel.system());
    }

    @Override
    public int eventfd(int initialValue, int flags) {
      return full && !holds ? -Errno.EMFILE : super.eventfd(initialValue, flags);
    }

    @Override
    public int posixSpawnp(SpawnRequest request) {
      int pid = super.posixSpawnp(request);
      started.add(pid);
      return pid;
    }

    @Override
    public int pidfdOpen(int pid, int flags) {
      return full ? -Errno.EMFILE : super.pidfdOpen(pid, flags);
    }
  }

  @ParameterizedTest
  @EnumSource
  void noDescriptorForIt_startsNothing_orLeavesNoChild(PollerKind poller) throws Exception {
    Full kernel = new Full();
    try (Scheduler s =
        Scheduler.builder().kernel(kernel).poller(poller).onUncaught((f, t) -> {}).build()) {
      Place.in(
          s,
          () -> {
            try (Pty pty = Pty.open()) {
              kernel.full = true;
              Command sleep = Command.of("sleep", "1000");
              for (FiberBody spawn :
                  List.<FiberBody>of(() -> PidFd.spawn(sleep), () -> pty.spawn(sleep))) {
                kernel.holds = false;
                assertThatThrownBy(spawn::run)
                    .hasMessage("a descriptor for the child: EMFILE (Too many open files)");
                assertThat(kernel.started).isEmpty();
                kernel.holds = true; // and another thread takes it from between
                assertThatThrownBy(spawn::run)
                    .hasMessageStartingWith("pidfd_open(pid ")
                    .hasMessageContaining("EMFILE");
                assertThat(exists(kernel.started.removeFirst())).isFalse();
              }
            }
          });
    }
  }

  /** Ignores what a JVM may ignore, and starts a program that tells what it ignores itself. */
  static final class Ignores {
    @SuppressWarnings("restricted")
    public static void main(String[] args) throws Throwable {
      Linker linker = Linker.nativeLinker();
      MethodHandle signal =
          linker.downcallHandle(
              linker.defaultLookup().find("signal").orElseThrow(),
              FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG));
      for (String name : List.of("PIPE", "XFSZ")) {
        long ignore = 1; // SIG_IGN
        long before = (long) signal.invokeExact(SignalNumbers.of(name), ignore);
        assertThat(before).isNotEqualTo(-1);
      }
      try (Pipe out = Pipe.open();
          PidFd child =
              PidFd.spawn(
                  Command.of("grep", "-E", "Sig(Blk|Ign)", "/proc/self/status")
                      .fd(1, out.writeFd()))) {
        out.closeWriter();
        List<String> lines = readAll(out.reader()).lines().toList();
        assertThat(lines.getFirst()).matches("SigBlk:\\s+0+");
        long ignored = Long.parseLong(lines.getLast().replaceAll("SigIgn:\\s+", ""), 16);
        for (String name : List.of("PIPE", "XFSZ")) {
          assertThat(ignored & 1L << (SignalNumbers.of(name) - 1)).as(name).isZero();
        }
        assertThat(child.await()).isEqualTo(exited(0));
      }
      System.out.println("all is well");
    }
  }

  @Test
  @Tag("slow")
  void program_hasNoSignalBlocked_andThoseOfAWriteAtTheirDefaults() throws Exception {
    FdJvm.assertWell(Command.of(FdJvm.words(Ignores.class)));
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
