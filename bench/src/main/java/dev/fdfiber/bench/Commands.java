package dev.fdfiber.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs other programs. */
final class Commands {
  private static final int LIMIT_SECONDS = 60;

  private Commands() {}

  /** Runs a command to its end, within reason; what it wrote to its standard output. */
  static String output(List<String> command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    process.getOutputStream().close();
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) { // what is written is a line or two
      process.destroyForcibly().waitFor();
      throw new IOException(
          String.join(" ", command) + " did not end within " + LIMIT_SECONDS + " s");
    }
    if (process.exitValue() != 0) {
      throw new IOException(
          String.join(" ", command) + " ended with status " + process.exitValue());
    }
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
  }
}
