package dev.fdfiber.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a question gave: for each entry one sample a round. */
record Result(Question question, List<Entry> entries, Map<String, List<Double>> samples) {

  Spread of(Entry entry) {
    return Spread.of(samples.get(entry.key()));
  }

  boolean hasFailures() {
    return samples.values().stream().flatMap(List::stream).anyMatch(d -> d.isNaN());
  }

  /** How a goal went, of those whose entries were measured. */
  record Outcome(Goal goal, Spread value) {
    boolean isMet() {
      return value.median() <= goal.limit();
    }
  }

  List<Outcome> outcomes() {
    List<Outcome> outcomes = new ArrayList<>();
    for (Goal goal : question.goals()) {
      List<Double> of = samples.get(goal.of());
      List<Double> per = samples.get(goal.per());
      if (of != null && (per != null || !goal.isRatio())) {
        outcomes.add(new Outcome(goal, goal.isRatio() ? ratio(of, per) : Spread.of(of)));
      }
    }
    return outcomes;
  }

  /** Of the two samples of each round, which were taken close together. */
  private static Spread ratio(List<Double> of, List<Double> per) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < of.size(); i++) {
      ratios.add(of.get(i) / per.get(i));
    }
    return Spread.of(ratios);
  }
}
