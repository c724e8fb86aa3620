package dev.fdfiber.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A server that runs in a process of its own, and ends with this object. */
record ServerProcess(Process process, int port) implements AutoCloseable {

  /** Starts a command that prints its port. */
  static ServerProcess start(List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    BufferedReader reader = process.inputReader(StandardCharsets.UTF_8);
    String port = reader.readLine();
    if (port == null) {
      throw new IOException(command + " ended without a word");
    }
    return new ServerProcess(process, Integer.parseInt(port));
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}
