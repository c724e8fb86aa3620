package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Tools;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A curl that runs; closing it ends it. */
final class Curl implements AutoCloseable {
  private final Process process;
  private final BufferedReader out;

  private Curl(Process process) {
    this.process = process;
    this.out = process.inputReader();
  }

  static Curl start(String... words) throws IOException {
    List<String> command =
        new ArrayList<>(List.of(Tools.require("curl").toString(), "-sS", "--no-progress-meter"));
    command.addAll(List.of(words));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(new File("/dev/null"))
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    return new Curl(builder.start());
  }

  /** Everything that it prints until it ends by itself. */
  static List<String> lines(String... words) throws IOException, InterruptedException {
    try (Curl curl = start(words)) {
      List<String> lines = curl.out.lines().toList();
      assertThat(curl.process.waitFor()).as("status of curl").isZero();
      return lines;
    }
  }

  /** The next line that starts so; blocks until it comes. */
  String next(String start) throws IOException {
    for (String line; (line = out.readLine()) != null; ) {
      if (line.startsWith(start)) {
        return line;
      }
    }
    throw new AssertionError("curl ended without a line that starts with " + start);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    process.destroy();
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).as("curl ended").isTrue();
    out.close();
  }
}
