package dev.fdfiber.fd;

import dev.fdfiber.testing.FdTest;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** The contract of the types that any JVM can make; the others are in child JVMs. */
@FdTest(limitSeconds = 120)
class EveryTypeTest extends TypeContract {
  static List<Row> rows() {
    return Row.that(Row.Needs.NOTHING);
  }

  static Stream<Arguments> places() {
    return everywhere(rows());
  }
}
