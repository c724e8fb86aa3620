package dev.fdfiber.testing;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM of its own, with the flags, the program and the limits that a test wants. */
public final class ChildJvm {
  /** What fibers need. */
  public static final List<String> FIBER_FLAGS =
      List.of("--add-opens=java.base/java.lang=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED");

  private final List<String> command = new ArrayList<>();

  /** How a program ended. */
  public record Result(int status, String out, String errors) {}

  /** The JDK that this test runs in, with these flags and nothing else. */
  public ChildJvm(List<String> flags) {
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(flags);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
  }

  /** Limits how many descriptors it may have. */
  public ChildJvm withOpenFiles(int most) {
    command.addAll(0, List.of("sh", "-c", "ulimit -n " + most + "; exec \"$0\" \"$@\""));
    return this;
  }

  /** Takes capabilities(7) away, which only root has; they are named as setpriv(1) does. */
  public ChildJvm withoutCapabilities(String... names) {
    if (System.getProperty("user.name").equals("root")) {
      String bounding = "--bounding-set=-" + String.join(",-", names);
      command.addAll(0, List.of("setpriv", bounding));
    }
    return this;
  }

  /** Puts a directory of classes behind those of the tests. */
  public ChildJvm withClasses(Path directory) {
    int at = command.indexOf("-cp") + 1;
    command.set(at, command.get(at) + File.pathSeparator + directory);
    return this;
  }

  /** Runs a main class to its end, five minutes at most; where the test has less, it is killed. */
  public Result run(Path directory, String mainClass, String... words)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(command);
    all.add(mainClass);
    all.addAll(List.of(words));
    Path out = directory.resolve("out");
    Path errors = directory.resolve("errors");
    ProcessBuilder builder = new ProcessBuilder(all);
    builder.environment().keySet().removeAll(List.of("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"));
    Process process = builder.redirectOutput(out.toFile()).redirectError(errors.toFile()).start();
    process.getOutputStream().close();
    try {
      if (!process.waitFor(5, TimeUnit.MINUTES)) {
        throw new AssertionError(mainClass + " does not end: " + Files.readString(errors));
      }
    } finally {
      process.destroyForcibly();
    }
    return new Result(process.exitValue(), Files.readString(out), Files.readString(errors));
  }
}
