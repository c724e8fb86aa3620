package dev.fdfiber.bench;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Asks the questions, in rounds: in each round every peer gets one turn, in the same order. */
final class Run {
  /** Where, when and how often it was measured. */
  record Facts(String machine, String date, int rounds) {}

  private final Pace pace;
  private final int rounds;
  private final Predicate<Entry> only;
  private final boolean goals;

  Run(Pace pace, int rounds, Predicate<Entry> only, boolean goals) {
    this.pace = pace;
    this.rounds = rounds;
    this.only = only;
    this.goals = goals;
  }

  Facts facts() {
    return new Facts(Machine.describe(), LocalDate.now(ZoneOffset.UTC).toString(), rounds);
  }

  List<Result> ask(List<Question> questions) throws Exception {
    List<Result> results = new ArrayList<>();
    for (Question question : questions) {
      results.add(ask(question));
    }
    return results;
  }

  private Result ask(Question question) throws Exception {
    List<Entry> entries =
        question.entries().stream()
            .filter(only)
            .filter(entry -> !goals || isInGoal(entry, question))
            .toList();
    Map<String, List<Double>> samples = new LinkedHashMap<>();
    entries.forEach(entry -> samples.put(entry.key(), new ArrayList<>()));
    System.out.printf("%n%s (%s)%n", question.title(), question.unit());
    for (int round = 1; round <= rounds; round++) {
      for (Entry entry : entries) {
        double value = sample(entry);
        samples.get(entry.key()).add(value);
        System.out.printf("  round %d  %-55s %,14.1f%n", round, entry.key(), value);
      }
    }
    return new Result(question, entries, samples);
  }

  private static boolean isInGoal(Entry entry, Question question) {
    return question.goals().stream()
        .anyMatch(goal -> goal.of().equals(entry.key()) || goal.per().equals(entry.key()));
  }

  /** One that fails is told, and makes its entry fail, but not the hours of the others. */
  private double sample(Entry entry) throws InterruptedException {
    try {
      return entry.sampler().sample(pace);
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      System.out.println("  FAILED: " + entry.key() + ": " + e);
      return Double.NaN;
    }
  }
}
