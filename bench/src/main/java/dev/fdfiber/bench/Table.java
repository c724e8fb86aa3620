package dev.fdfiber.bench;

import java.util.List;

/** The results as Markdown. */
final class Table {
  private Table() {}

  static String of(Run.Facts facts, List<Result> results) {
    StringBuilder text = new StringBuilder();
    text.append(
        "# Results\n\n%s; %s. Medians of %d rounds, in each of which every peer had one turn.\nGoals are ratios within a round; less is better everywhere.\n\n"
            .formatted(facts.machine(), facts.date(), facts.rounds()));
    if (!CProgram.isPossible()) {
      text.append(
          "There was no gcc here: C, and the servers, whose load is a C program, are missing.\n\n");
    }
    text.append("## In short\n\n").append(Summary.of(results)).append('\n');
    text.append("## Goals\n\n| question | what | goal | measured | |\n|---|---|---:|---:|---|\n");
    for (Result result : results) {
      for (Result.Outcome outcome : result.outcomes()) {
        goal(text, result, outcome);
      }
    }
    for (Result result : results) {
      Question question = result.question();
      text.append(
          "\n## %s\n\n| | %s | from | to |\n|---|---:|---:|---:|\n"
              .formatted(question.title(), question.unit()));
      for (Entry entry : result.entries()) {
        Spread spread = result.of(entry);
        text.append(
            "| %s | %s | %s | %s |\n"
                .formatted(
                    entry.key(),
                    number(spread.median()),
                    number(spread.min()),
                    number(spread.max())));
      }
    }
    return text.toString();
  }

  private static void goal(StringBuilder text, Result result, Result.Outcome outcome) {
    Goal goal = outcome.goal();
    Spread value = outcome.value();
    String what = goal.isRatio() ? goal.of() + " / " + goal.per() : goal.of();
    String measured =
        goal.isRatio()
            ? "%.2f (%.2f to %.2f)".formatted(value.median(), value.min(), value.max())
            : number(value.median());
    text.append(
        "| %s | %s | %s | %s | %s |\n"
            .formatted(
                result.question().name(),
                what,
                goal.isRatio() ? "%.2f".formatted(goal.limit()) : number(goal.limit()),
                measured,
                outcome.isMet() ? "met" : "**missed**"));
  }

  static String number(double value) {
    if (Double.isNaN(value)) {
      return "failed";
    }
    return value < 100 ? "%.1f".formatted(value) : "%,.0f".formatted(value);
  }
}
