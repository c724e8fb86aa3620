package dev.fdfiber;

import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Programs that tests run beside the JVM: gcc, curl and the like. */
public final class Tools {
  /** Set it, to anything, where every tool is expected: a missing one then fails the test. */
  private static final String REQUIRED = "FDFIBER_REQUIRE_TOOLS";

  private Tools() {}

  /**
   * Returns where on PATH a program is. Without it the test that asks is skipped and a line says
   * so; with {@code FDFIBER_REQUIRE_TOOLS} in the environment it fails.
   */
  public static Path require(String program) {
    for (String directory : System.getenv("PATH").split(File.pathSeparator, -1)) {
      Path found = Path.of(directory, program);
      if (Files.isRegularFile(found) && Files.isExecutable(found)) {
        return found;
      }
    }
    return missing("there is no " + program + " on PATH");
  }

  /** The same for a program that Debian keeps off PATH, in one directory for each version. */
  public static Path requireIn(String program, Path root, String directories) throws IOException {
    Path found = null;
    if (Files.isDirectory(root)) {
      try (DirectoryStream<Path> versions = Files.newDirectoryStream(root)) {
        for (Path version : versions) {
          Path candidate = version.resolve(directories).resolve(program);
          found = Files.isExecutable(candidate) ? candidate : found;
        }
      }
    }
    String shape = root + "/*/" + directories;
    return found != null ? found : missing("there is no " + program + " in " + shape);
  }

  /**
   * Words to put before a program that is to get HUP, INT or TERM. A shell without job control has
   * what it runs beside itself ignore INT, nohup(1) has it ignore HUP, and so does all that this
   * JVM starts then. No words where it ignores none.
   */
  public static List<String> gettingSignals() throws IOException {
    String status = Files.readString(Path.of("/proc/self/status"));
    String mask = status.replaceAll("(?s).*SigIgn:\\s+(\\p{XDigit}+).*", "$1");
    long those = 1 << 0 | 1 << 1 | 1 << 14; // signal(7)
    if ((Long.parseUnsignedLong(mask, 16) & those) == 0) {
      return List.of();
    }
    String perl = require("perl").toString();
    return List.of(perl, "-e", "$SIG{$_} = 'DEFAULT' for qw(HUP INT TERM); exec @ARGV");
  }

  private static Path missing(String missing) {
    if (System.getenv(REQUIRED) != null) {
      return Assertions.fail(missing + ", and " + REQUIRED + " is set");
    }
    System.out.println("A test is skipped: " + missing + ".");
    return Assumptions.abort(missing);
  }
}
