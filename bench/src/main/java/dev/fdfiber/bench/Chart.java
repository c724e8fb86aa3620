package dev.fdfiber.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The results as one picture: a panel for each question and setting, a bar for each peer, and a
 * mark on our bars where a goal says that they should have ended. A bar that would dwarf the others
 * is cut and says so; the poller variants are for the table.
 */
final class Chart {
  private static final int COLUMN = 470;
  private static final int LABEL = 175;
  private static final int BARS = 210;
  private static final int ROW = 17;
  private static final int HEAD = 44;
  private static final int GAP = 20;
  private static final int TOP = 64;
  private static final double CUT = 3; // times our longest bar

  private final StringBuilder svg = new StringBuilder();

  private Chart() {}

  /** The bars of one setting of one question. */
  private record Panel(Result result, String setting, List<Entry> entries) {
    int height() {
      return HEAD + entries.size() * ROW + GAP;
    }
  }

  static String of(Run.Facts facts, List<Result> results) {
    List<Panel> panels = panels(results);
    int half = panels.stream().mapToInt(Panel::height).sum() / 2;
    List<List<Panel>> columns = List.of(new ArrayList<>(), new ArrayList<>());
    int filled = 0;
    for (Panel panel : panels) {
      columns.get(filled + panel.height() / 2 <= half ? 0 : 1).add(panel);
      filled += panel.height();
    }
    int height =
        TOP
            + columns.stream()
                .mapToInt(column -> column.stream().mapToInt(Panel::height).sum())
                .max()
                .orElse(0);
    return new Chart().draw(facts, columns, height);
  }

  private static List<Panel> panels(List<Result> results) {
    List<Panel> panels = new ArrayList<>();
    for (Result result : results) {
      Map<String, List<Entry>> settings = new LinkedHashMap<>();
      for (Entry entry : result.entries()) {
        boolean shown = !entry.peer().contains("(") && !Double.isNaN(result.of(entry).median());
        if (shown) {
          settings.computeIfAbsent(entry.setting(), s -> new ArrayList<>()).add(entry);
        }
      }
      settings.forEach((setting, entries) -> panels.add(new Panel(result, setting, entries)));
    }
    return panels;
  }

  private String draw(Run.Facts facts, List<List<Panel>> columns, int height) {
    svg.append(
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12">
        <title>fdfiber beside its peers</title>
        <style>
          text { fill: #1f2328 } .quiet { fill: #59636e } .bar { fill: #afb8c1 } .own { fill: #0969da }
          .goal { stroke: #cf222e; stroke-width: 2.5 } .head { font-weight: 600 }
          @media (prefers-color-scheme: dark) {
            text { fill: #f0f6fc } .quiet { fill: #9198a1 } .bar { fill: #656c76 } .own { fill: #4493f8 }
            .goal { stroke: #ff7b72 }
          }
        </style>
        """
            .formatted(2 * COLUMN, height));
    text(10, 20, "head", "Less is better. A red mark is a goal: the bar should end before it.");
    text(
        10,
        40,
        "quiet",
        facts.machine()
            + "; medians of "
            + facts.rounds()
            + (facts.rounds() == 1 ? " round" : " rounds"));
    for (int i = 0; i < columns.size(); i++) {
      int y = TOP;
      for (Panel panel : columns.get(i)) {
        draw(panel, i * COLUMN + 10, y);
        y += panel.height();
      }
    }
    return svg.append("</svg>\n").toString();
  }

  private void draw(Panel panel, int x, int y) {
    Question question = panel.result().question();
    String setting = panel.setting().isEmpty() ? "" : panel.setting() + ": ";
    text(x, y + 16, "head", question.title());
    text(x, y + 32, "quiet", setting + question.unit());
    double scale = BARS / longest(panel);
    int row = y + HEAD;
    for (Entry entry : panel.entries()) {
      double value = panel.result().of(entry).median();
      double width = Math.min(value * scale, BARS);
      boolean cut = value * scale > BARS + 1;
      text(x, row + 10, "", entry.peer());
      svg.append(
          "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%s\" height=\"11\"/>\n"
              .formatted(isOurs(entry) ? "own" : "bar", x + LABEL, row, decimal(width)));
      String number = (cut ? "… " : "") + Table.number(value);
      for (double goal : goals(panel.result(), entry)) {
        if (goal * scale > BARS + 1) {
          number += " (goal " + Table.number(goal) + ")";
        } else {
          mark(x + LABEL + goal * scale, row);
        }
      }
      text(x + LABEL + width + 5, row + 10, "quiet", number);
      row += ROW;
    }
  }

  private void mark(double x, int y) {
    String at = decimal(x);
    svg.append(
        "<line class=\"goal\" x1=\"%s\" x2=\"%s\" y1=\"%d\" y2=\"%d\"/>\n"
            .formatted(at, at, y - 2, y + 13));
  }

  private static double longest(Panel panel) {
    double ours = 0;
    double all = 1e-9;
    for (Entry entry : panel.entries()) {
      double value = panel.result().of(entry).median();
      all = Math.max(all, value);
      for (double goal : goals(panel.result(), entry)) {
        all = Math.max(all, goal);
      }
      ours = isOurs(entry) ? Math.max(ours, value) : ours;
    }
    return ours == 0 ? all : Math.min(all, CUT * ours);
  }

  /** Where an entry should have ended, in its own unit. */
  private static List<Double> goals(Result result, Entry entry) {
    List<Double> limits = new ArrayList<>();
    for (Result.Outcome outcome : result.outcomes()) {
      Goal goal = outcome.goal();
      if (goal.of().equals(entry.key())) {
        double per = goal.isRatio() ? Spread.of(result.samples().get(goal.per())).median() : 1;
        limits.add(goal.limit() * per);
      }
    }
    return limits;
  }

  private static boolean isOurs(Entry entry) {
    return entry.peer().startsWith(Peers.FDFIBER);
  }

  private void text(double x, int y, String style, String words) {
    String escaped = words.replace("&", "&amp;").replace("<", "&lt;");
    svg.append(
        "<text class=\"%s\" x=\"%s\" y=\"%d\">%s</text>\n"
            .formatted(style, decimal(x), y, escaped));
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
