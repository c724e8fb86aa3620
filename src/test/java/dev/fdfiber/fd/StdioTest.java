package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.FdTest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Standard streams that are pipes; for terminals see {@link TtyTest}. */
@FdTest
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
    List<String> words = new ArrayList<>();
    words.add(ProcessHandle.current().info().command().orElseThrow());
    words.addAll(ChildJvm.FIBER_FLAGS);
    words.addAll(List.of("-cp", System.getProperty("java.class.path"), Program.class.getName()));
    try (Pipe in = Pipe.open();
        Pipe out = Pipe.open();
        Pipe err = Pipe.open()) {
      Command command =
          Command.of(words).fd(0, in.readFd()).fd(1, out.writeFd()).fd(2, err.writeFd());
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
}
