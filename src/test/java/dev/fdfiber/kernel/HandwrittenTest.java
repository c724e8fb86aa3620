package dev.fdfiber.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written by hand because the bindings do not have it is what the C compiler says. */
@FdTest
class HandwrittenTest {

  private final List<String> expressions = new ArrayList<>();
  private final List<Long> values = new ArrayList<>();

  private void fact(String expression, long value) {
    expressions.add("printf(\"%%lld\\n\", (long long) (%s));".formatted(expression));
    values.add(value);
  }

  private void compare(Path directory, String before) throws Exception {
    List<String> lines = CProgram.output(directory, before + String.join("\n", expressions));
    for (int i = 0; i < values.size(); i++) {
      assertThat(lines.get(i)).as(expressions.get(i)).isEqualTo(values.get(i).toString());
    }
  }

  @Test
  void sigInfo_isThatOfTheCompiler(@TempDir Path directory) throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = SigInfo.allocate(arena);
      for (int i = 0; i < 32; i++) {
        info.setAtIndex(ValueLayout.JAVA_INT, i, i * 4);
      }
      fact("sizeof(siginfo_t)", info.byteSize());
      fact("offsetof(siginfo_t, si_code)", SigInfo.code(info));
      fact("offsetof(siginfo_t, si_pid)", SigInfo.pid(info));
      fact("offsetof(siginfo_t, si_status)", SigInfo.status(info));
    }
    fact("P_PIDFD", SigInfo.P_PIDFD);
    fact("WNOHANG", SigInfo.WNOHANG);
    fact("WEXITED", SigInfo.WEXITED);
    fact("WNOWAIT", SigInfo.WNOWAIT);
    fact("CLD_EXITED", SigInfo.CLD_EXITED);
    fact("CLD_KILLED", SigInfo.CLD_KILLED);
    fact("CLD_DUMPED", SigInfo.CLD_DUMPED);
    compare(directory, "");
  }

  @Test
  void systemCallNumbers_areThoseOfTheCompiler(@TempDir Path directory) throws Exception {
    fact("SYS_pidfd_open", LinuxTypedCalls.PIDFD_OPEN);
    fact("SYS_pidfd_send_signal", LinuxTypedCalls.PIDFD_SEND_SIGNAL);
    compare(directory, "#include <sys/syscall.h>\n");
  }

  @Test
  void controlSpace_isThatOfTheCompiler(@TempDir Path directory) throws Exception {
    for (int size : new int[] {0, 1, 4, 8, 12, 1012}) {
      fact("CMSG_SPACE(" + size + ")", Messages.space(size));
    }
    compare(directory, "");
  }

  @Test
  void terminals_areThoseOfTheCompiler(@TempDir Path directory) throws Exception {
    constants(
        Terminals.class,
        Set.of("TERMIOS2_SIZE", "IFLAG", "OFLAG", "CFLAG", "LFLAG", "CC", "ISPEED", "OSPEED"));
    fact("sizeof(struct termios2)", Terminals.TERMIOS2_SIZE);
    fact("offsetof(struct termios2, c_iflag)", Terminals.IFLAG);
    fact("offsetof(struct termios2, c_oflag)", Terminals.OFLAG);
    fact("offsetof(struct termios2, c_cflag)", Terminals.CFLAG);
    fact("offsetof(struct termios2, c_lflag)", Terminals.LFLAG);
    fact("offsetof(struct termios2, c_cc)", Terminals.CC);
    fact("offsetof(struct termios2, c_ispeed)", Terminals.ISPEED);
    fact("offsetof(struct termios2, c_ospeed)", Terminals.OSPEED);
    compare(directory, "#include <asm/termbits.h>\n"); // within main, beside that of termios.h
  }

  /** Every constant of a class, under its own name. */
  private void constants(Class<?> type, Set<String> butFor) throws IllegalAccessException {
    for (Field field : type.getFields()) {
      if (!butFor.contains(field.getName())) {
        fact(field.getName(), ((Number) field.get(null)).longValue());
      }
    }
  }
}
