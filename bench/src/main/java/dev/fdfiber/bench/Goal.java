package dev.fdfiber.bench;

/**
 * At most {@code limit} times what another entry of the same question takes; where {@code per} is
 * empty, at most {@code limit} in the question's own unit.
 */
record Goal(String of, String per, double limit) {
  static Goal ratio(String of, String per, double limit) {
    return new Goal(of, per, limit);
  }

  static Goal absolute(String of, double limit) {
    return new Goal(of, "", limit);
  }

  boolean isRatio() {
    return !per.isEmpty();
  }
}
