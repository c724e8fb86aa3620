package dev.fdfiber.fd;

import dev.fdfiber.testing.FdTest;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** The contract of what changes the network, for a JVM in a namespace of its own. */
@FdTest(limitSeconds = 120)
class NetworkContract extends TypeContract {
  static List<Row> rows() {
    return Row.that(Row.Needs.A_NAMESPACE);
  }

  static Stream<Arguments> places() {
    return everywhere(rows());
  }
}
