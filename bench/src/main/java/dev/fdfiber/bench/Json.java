package dev.fdfiber.bench;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;

/** The results as JSON: every sample, so that others can compute what this report does not. */
final class Json {
  private static final MathContext DIGITS = new MathContext(5);

  private Json() {}

  static String of(Run.Facts facts, List<Result> results) {
    List<String> questions = results.stream().map(Json::question).toList();
    return """
    {
      "machine": %s,
      "date": %s,
      "rounds": %d,
      "questions": [
    %s
      ]
    }
    """
        .formatted(
            string(facts.machine()),
            string(facts.date()),
            facts.rounds(),
            String.join(",\n", questions));
  }

  private static String question(Result result) {
    Question question = result.question();
    List<String> entries = new ArrayList<>();
    for (Entry entry : result.entries()) {
      entries.add(
          "        {\"setting\": %s, \"peer\": %s, %s, \"samples\": %s}"
              .formatted(
                  string(entry.setting()),
                  string(entry.peer()),
                  spread(result.of(entry)),
                  result.samples().get(entry.key()).stream().map(Json::number).toList()));
    }
    List<String> goals = new ArrayList<>();
    for (Result.Outcome outcome : result.outcomes()) {
      goals.add(
          "        {\"of\": %s, \"per\": %s, \"limit\": %s, %s, \"met\": %s}"
              .formatted(
                  string(outcome.goal().of()),
                  string(outcome.goal().per()),
                  number(outcome.goal().limit()),
                  spread(outcome.value()),
                  outcome.isMet()));
    }
    return """
        {
          "name": %s,
          "title": %s,
          "unit": %s,
          "entries": [
    %s
          ],
          "goals": [
    %s
          ]
        }\
    """
        .formatted(
            string(question.name()),
            string(question.title()),
            string(question.unit()),
            String.join(",\n", entries),
            String.join(",\n", goals));
  }

  private static String spread(Spread spread) {
    return "\"median\": %s, \"min\": %s, \"max\": %s"
        .formatted(number(spread.median()), number(spread.min()), number(spread.max()));
  }

  private static String number(double value) {
    return Double.isNaN(value)
        ? "null"
        : BigDecimal.valueOf(value).round(DIGITS).stripTrailingZeros().toPlainString();
  }

  private static String string(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
