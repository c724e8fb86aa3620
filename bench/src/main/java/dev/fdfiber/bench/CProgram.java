package dev.fdfiber.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program of {@code bench/c}, compiled when it is first needed. */
final class CProgram {
  private static final boolean HAS_COMPILER = hasCompiler();

  private CProgram() {}

  /** If there is a gcc; without one the C peers are left out. */
  static boolean isPossible() {
    return HAS_COMPILER;
  }

  private static boolean hasCompiler() {
    for (String directory : System.getenv().getOrDefault("PATH", "").split(":")) {
      if (Files.isExecutable(Path.of(directory, "gcc"))) {
        return true;
      }
    }
    return false;
  }

  /**
   * A sample that the program measures and prints; it gets the arguments, then how many
   * milliseconds to warm up and to measure.
   */
  static Entry.Sampler of(String name, String... arguments) {
    return pace -> {
      List<String> command = new ArrayList<>(List.of(compiled(name).toString()));
      command.addAll(List.of(arguments));
      command.add(Integer.toString(pace.warmUpMillis / 4)); // nothing to compile
      command.add(Integer.toString(pace.measureMillis));
      return Double.parseDouble(Commands.output(command));
    };
  }

  /** The executable. */
  static synchronized Path compiled(String name) throws IOException, InterruptedException {
    Path directory = Path.of(System.getProperty("bench.home", "."), "c");
    Path source = directory.resolve(name + ".c");
    Path program = Jvm.target(name);
    if (!isNewer(program, source) || !isNewer(program, directory.resolve("bench.h"))) {
      Commands.output(
          List.of("gcc", "-O2", "-Wall", "-Wextra", "-o", program.toString(), source.toString()));
    }
    return program;
  }

  private static boolean isNewer(Path file, Path than) throws IOException {
    return Files.exists(file)
        && Files.getLastModifiedTime(file).compareTo(Files.getLastModifiedTime(than)) > 0;
  }
}
