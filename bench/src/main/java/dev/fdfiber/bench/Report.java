package dev.fdfiber.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Writes what a run gave: {@code results.json}, {@code results.md} and {@code results.svg}. */
final class Report {
  private Report() {}

  static void write(Path directory, Run.Facts facts, List<Result> results) throws IOException {
    Files.createDirectories(directory);
    String table = Table.of(facts, results);
    Files.writeString(directory.resolve("results.md"), table);
    Files.writeString(directory.resolve("results.json"), Json.of(facts, results));
    Files.writeString(directory.resolve("results.svg"), Chart.of(facts, results));
    System.out.println();
    System.out.print(table);
  }
}
