package dev.fdfiber.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Tools;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Asks the machine's C compiler: what a C program prints. */
final class CProgram {
  private CProgram() {}

  /** Compiles a main's body behind {@code jextract/libc.h}, runs it, and returns its lines. */
  static List<String> output(Path directory, String body) throws IOException, InterruptedException {
    Path compiler = Tools.require("gcc");
    Path source = directory.resolve("program.c");
    Path program = directory.resolve("program");
    Files.writeString(
        source,
        """
        #include "libc.h"
        #include <stddef.h>
        #include <stdio.h>
        int main(void) {
        %s
          return 0;
        }
        """
            .formatted(body));
    run(compiler.toString(), "-w", "-Ijextract", "-o", program.toString(), source.toString());
    return run(program.toString()).lines().toList();
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s%n%s", String.join(" ", command), output).isZero();
    return output;
  }
}
