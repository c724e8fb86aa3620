package dev.fdfiber.bench;

import java.util.Arrays;
import java.util.List;

/** The middle of some samples, and how far they lie apart. */
record Spread(double median, double min, double max) {
  static Spread of(List<Double> samples) {
    return of(samples.stream().mapToDouble(Double::doubleValue).toArray());
  }

  static Spread of(double... samples) {
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    double median = sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    return new Spread(median, sorted[0], sorted[sorted.length - 1]);
  }
}
