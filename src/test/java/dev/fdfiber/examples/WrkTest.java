package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Tools;
import dev.fdfiber.testing.FdTest;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A thousand connections that ask as fast as they can: nobody is forgotten, nothing fails. */
@FdTest
class WrkTest {
  private static final Pattern REQUESTS = Pattern.compile("(\\d+) requests in ");

  @Test
  @Tag("slow")
  void thousandConnections_withoutAnError() throws Exception {
    try (Serving serving = Serving.start()) {
      Process wrk =
          new ProcessBuilder(
                  Tools.require("wrk").toString(),
                  "-t1",
                  "-c1000",
                  "-d3s",
                  "--timeout",
                  "30s",
                  serving.url("/hello"))
              .redirectErrorStream(true)
              .start();
      String report = new String(wrk.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

      assertThat(wrk.waitFor()).as(report).isZero();
      assertThat(report).doesNotContain("Socket errors", "Non-2xx");
      Matcher requests = REQUESTS.matcher(report);
      assertThat(requests.find()).as(report).isTrue();
      assertThat(Integer.parseInt(requests.group(1))).as(report).isGreaterThan(1000);
    }
  }
}
