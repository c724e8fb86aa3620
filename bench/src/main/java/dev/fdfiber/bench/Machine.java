package dev.fdfiber.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What one has to know of the machine to read its figures. */
final class Machine {
  private Machine() {}

  static String describe() {
    return "%d CPUs (%s), Linux %s, JDK %s (%s)"
        .formatted(
            Runtime.getRuntime().availableProcessors(),
            cpu(),
            firstTwoNumbers(System.getProperty("os.version")),
            Runtime.version().feature()
                + "."
                + Runtime.version().interim()
                + "."
                + Runtime.version().update(),
            System.getProperty("java.vendor"));
  }

  private static String cpu() {
    try {
      Matcher name =
          Pattern.compile("(?m)^model name\\s*: (.*)$")
              .matcher(Files.readString(Path.of("/proc/cpuinfo")));
      return name.find() ? name.group(1).strip() : System.getProperty("os.arch");
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }

  private static String firstTwoNumbers(String version) {
    Matcher numbers = Pattern.compile("^\\d+\\.\\d+").matcher(version);
    return numbers.find() ? numbers.group() : version;
  }
}
