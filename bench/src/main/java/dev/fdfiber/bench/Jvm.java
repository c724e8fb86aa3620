package dev.fdfiber.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The JVMs that measure: all of one kind, whoever is measured. */
final class Jvm {
  /** Makes the JDK's virtual threads share one carrier, as fibers do. */
  static final List<String> ONE_CARRIER =
      List.of(
          "-Djdk.virtualThreadScheduler.parallelism=1",
          "-Djdk.virtualThreadScheduler.maxPoolSize=1");

  private static final List<String> FLAGS =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "--add-opens=java.base/java.lang=ALL-UNNAMED",
          "-XX:+IgnoreUnrecognizedVMOptions",
          "--sun-misc-unsafe-memory-access=allow",
          "-Xms1g",
          "-Xmx1g");

  private Jvm() {}

  static Path executable() {
    return Path.of(System.getProperty("java.home"), "bin", "java");
  }

  static List<String> flags(List<String> more) {
    List<String> all = new ArrayList<>(FLAGS);
    all.addAll(more);
    return all;
  }

  /** The command line that runs a main class of ours. */
  static List<String> command(List<String> flags, Class<?> main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(executable().toString());
    command.addAll(flags(flags));
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(arguments);
    return command;
  }

  /** Where builds and logs go. */
  static Path target(String name) {
    Path directory = Path.of(System.getProperty("bench.home", "."), "target");
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return directory.resolve(name);
  }
}
