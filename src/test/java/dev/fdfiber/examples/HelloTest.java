package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@FdTest
class HelloTest {

  @Test
  @Tag("slow") // half a second, please
  void main_printsWhatTheFibersDo_inTheirOrder() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream before = System.out;
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      Hello.main(new String[0]);
    } finally {
      System.setOut(before);
    }

    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .isEqualTo(
            """
            server: somebody is there; half a second, please
            client: connected; waiting for its descriptor
            client: got hello
            """);
  }
}
