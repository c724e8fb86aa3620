package dev.fdfiber.bench;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The results in short, as Markdown: a line for each question and setting, a column for each kind.
 */
final class Summary {
  /** Whose figure stands in a column: of the first that was measured. */
  private record Column(String head, List<String> peers) {}

  private static final List<Column> COLUMNS =
      List.of(
          new Column("fdfiber", List.of(Peers.FDFIBER, Peers.FDFIBER_CHANNEL)),
          new Column("virtual threads, one carrier", List.of(Peers.VIRTUAL_ONE, Peers.VIRTUAL)),
          new Column("NIO callbacks", List.of(Peers.NIO)),
          new Column("Netty", List.of(Peers.NETTY)),
          new Column("C", List.of(Peers.C, Peers.C_WAIT_FIRST)));

  private Summary() {}

  static String of(List<Result> results) {
    List<String> heads = COLUMNS.stream().map(Column::head).toList();
    StringBuilder text = new StringBuilder();
    text.append("| | unit | ").append(String.join(" | ", heads)).append(" |\n|---|---");
    text.append("|---:".repeat(COLUMNS.size())).append("|\n");
    for (Result result : results) {
      Set<String> settings = new LinkedHashSet<>();
      result.entries().forEach(entry -> settings.add(entry.setting()));
      for (String setting : settings) {
        text.append(line(result, setting));
      }
    }
    return text.toString();
  }

  private static String line(Result result, String setting) {
    Question question = result.question();
    List<String> cells = new ArrayList<>();
    cells.add(question.name() + (setting.isEmpty() ? "" : ", " + setting));
    cells.add(question.unit());
    for (Column column : COLUMNS) {
      cells.add(
          column.peers().stream()
              .map(peer -> result.samples().get(Entry.key(setting, peer)))
              .filter(samples -> samples != null)
              .findFirst()
              .map(samples -> Table.number(Spread.of(samples).median()))
              .orElse(""));
    }
    return "| " + String.join(" | ", cells) + " |\n";
  }
}
