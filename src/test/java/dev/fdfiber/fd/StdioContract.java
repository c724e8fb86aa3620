package dev.fdfiber.fd;

import dev.fdfiber.testing.FdTest;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** The contract of standard input, for a JVM whose fd 3 is the other end of it. */
@FdTest(limitSeconds = 120)
class StdioContract extends TypeContract {
  static List<Row> rows() {
    return Row.that(Row.Needs.STANDARD_INPUT);
  }

  static Stream<Arguments> places() {
    return everywhere(rows());
  }
}
