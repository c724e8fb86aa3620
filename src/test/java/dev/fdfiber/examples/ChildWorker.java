package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Tools;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A worker as a process of its own, started as its users do. */
final class ChildWorker implements AutoCloseable {
  private static final Pattern URL =
      Pattern.compile("fdfiber worker: https?://(?:127.0.0.1|0.0.0.0):(\\d+)/");

  final Process process;
  private final BufferedReader out;
  private final Path errors;

  ChildWorker(Path directory, String... words) throws IOException {
    this(directory, List.of(), words);
  }

  /** One whose JVM gets more flags. */
  ChildWorker(Path directory, List<String> flags, String... words) throws IOException {
    List<String> command = new ArrayList<>(Tools.gettingSignals());
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.add("--add-opens=java.base/java.lang=ALL-UNNAMED");
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(flags);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(Worker.class.getName());
    command.addAll(List.of(words));
    errors = directory.resolve("errors");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeAll(List.of("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"));
    process = builder.redirectInput(new File("/dev/null")).redirectError(errors.toFile()).start();
    out = process.inputReader();
  }

  /** The port that it says; blocks until it listens. */
  int port() throws IOException {
    String line = out.readLine();
    assertThat(line).as("the first line; on stderr: %s", errors()).isNotNull();
    Matcher url = URL.matcher(line);
    assertThat(url.matches()).as(line).isTrue();
    return Integer.parseInt(url.group(1));
  }

  /** What it printed, once it has ended. */
  String output() throws IOException {
    return String.join("\n", out.lines().toList());
  }

  String errors() throws IOException {
    return Files.readString(errors);
  }

  /** How many descriptors it has open. */
  long openFds() throws IOException {
    try (Stream<Path> fds = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
      return fds.count();
    }
  }

  /** Its exit status; it has to end within the time. */
  int status(int seconds) throws InterruptedException {
    assertThat(process.waitFor(seconds, TimeUnit.SECONDS)).as("ends in time").isTrue();
    return process.exitValue();
  }

  @Override
  public void close() throws IOException, InterruptedException {
    process.destroyForcibly();
    process.waitFor();
    out.close();
  }
}
