package dev.fdfiber.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@FdTest
class ErrnoTest {
  private static final int LAST = Errno.EHWPOISON;

  @Test
  void constants_areThoseOfErrnoH(@TempDir Path directory) throws Exception {
    Map<String, Integer> constants = constants();
    String body =
        constants.keySet().stream()
            .map(name -> "  printf(\"%s=%%d\\n\", %s);".formatted(name, name))
            .collect(Collectors.joining("\n"));

    assertThat(CProgram.output(directory, body))
        .containsExactlyInAnyOrderElementsOf(
            constants.entrySet().stream().map(Map.Entry::toString).toList());
  }

  @Test
  void text_isThatOfStrerror(@TempDir Path directory) throws Exception {
    List<String> strerror =
        CProgram.output(
            directory, "for (int e = 1; e <= %d; e++) puts(strerror(e));".formatted(LAST));

    assertThat(IntStream.rangeClosed(1, LAST).mapToObj(Errno::text).toList()).isEqualTo(strerror);
  }

  @Test
  void name_ofEveryConstant_leadsBackToItsNumber() {
    Map<String, Integer> constants = constants();
    for (int errno : constants.values()) {
      assertThat(constants).containsEntry(Errno.name(errno), errno);
    }
  }

  @Test
  void name_ofANumberWithTwoNames_isTheOneErrno3Explains() {
    assertThat(Errno.name(Errno.EWOULDBLOCK)).isEqualTo("EAGAIN");
    assertThat(Errno.name(Errno.EDEADLOCK)).isEqualTo("EDEADLK");
    assertThat(Errno.name(Errno.ENOTSUP)).isEqualTo("EOPNOTSUPP");
    assertThat(constants()).hasSize((int) knownNumbers() + 3);
  }

  @Test
  void nameAndText_ofANumberThatIsNone_sayWhichNumber() {
    for (int errno : new int[] {0, -9, 41, 58, LAST + 1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      assertThat(Errno.name(errno)).isEqualTo("E?" + errno);
      assertThat(Errno.text(errno)).isEqualTo("Unknown error " + errno);
    }
  }

  @Test
  void constants_canBeCaseLabels() {
    String isDescriptorError =
        switch (9) {
          case Errno.EBADF -> "yes";
          default -> "no";
        };
    assertThat(isDescriptorError).isEqualTo("yes");
  }

  private static long knownNumbers() {
    return IntStream.rangeClosed(1, LAST).filter(e -> !Errno.name(e).startsWith("E?")).count();
  }

  private static Map<String, Integer> constants() {
    return Arrays.stream(Errno.class.getFields())
        .filter(field -> Modifier.isStatic(field.getModifiers()))
        .collect(Collectors.toMap(Field::getName, ErrnoTest::value));
  }

  private static int value(Field field) {
    try {
      return field.getInt(null);
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }
}
