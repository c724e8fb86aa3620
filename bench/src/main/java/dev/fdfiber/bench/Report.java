package dev.fdfiber.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Writes what a run gave: {@code results.json}, {@code results.md}, and the same table to read. */
final class Report {
  private Report() {}

  static void write(Path directory, List<Result> results) throws IOException {
    Files.createDirectories(directory);
    String table = Table.of(results);
    Files.writeString(directory.resolve("results.md"), table);
    System.out.println();
    System.out.print(table);
  }
}
