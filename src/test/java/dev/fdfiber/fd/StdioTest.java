package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Standard streams that are pipes; for terminals see {@link TtyTest}. */
@FdTest
@ExtendWith(LeftBehind.class)
class StdioTest {

  /** Numbers the lines of standard input; beside it a fiber that would not run if one blocked. */
  static final class Program {
    public static void main(String[] args) throws Exception {
      try (dev.fdfiber.Scheduler s = dev.fdfiber.Scheduler.create();
          Stdio stdio = Stdio.open()) {
        s.spawn(() -> {
          int n = 0;
          for (var line = stdio.readLine(); line.isPresent(); line = stdio.readLine()) {
            stdio.print(++n + " " + line.get() + "\n");
          }
        });
        s.spawn(() -> {
          for (int i = 0; i < 3; i++) {
            stdio.err().write(ByteBuffer.wrap(new byte[] {'.'}));
            dev.fdfiber.Scheduler.pause(0);
          }
        });
        s.run();
      }
    }
  }

  @Test
  @Tag("slow")
  void lines_areReadAsTheyCome_andOthersRunMeanwhile() throws Exception {
    try (Pipe in = Pipe.open();
        Pipe out = Pipe.open();
        Pipe err = Pipe.open()) {
      Command command =
          Command.of(FdJvm.words(Program.class))
              .fd(0, in.readFd())
              .fd(1, out.writeFd())
              .fd(2, err.writeFd());
      try (PidFd child = PidFd.spawn(command)) {
        in.closeReader();
        out.closeWriter();
        err.closeWriter();
        ByteBuffer dots = ByteBuffer.allocate(3);
        while (dots.hasRemaining() && err.reader().read(dots) >= 0) {}
        assertThat(dots.array()).as("while nothing was to be read").containsOnly('.');
        in.writer().write(ByteBuffer.wrap("größe\n\nlast".getBytes(StandardCharsets.UTF_8)));
        in.closeWriter();
        assertThat(PidFdTest.readAll(out.reader())).isEqualTo("1 größe\n2 \n3 last\n");
        assertThat(child.await()).isEqualTo(new PidFd.Exited(0));
      }
    }
  }

  @Test
  @Tag("slow")
  void standardInput_keepsToTheContractOfAllTypes() throws Exception {
    try (Pipe in = Pipe.open()) {
      List<String> words = FdJvm.words(FdJvm.Contract.class, StdioContract.class.getName());
      FdJvm.assertWell(Command.of(words).fd(0, in.readFd()).fd(3, in.writeFd()));
    }
  }
}
