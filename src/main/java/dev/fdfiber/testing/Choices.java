package dev.fdfiber.testing;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Where a run's choices come from, a seed or a schedule, and which of them were not the first: the
 * deviations from first in, first out and from a kernel without faults. Each kind of choice counts
 * by itself, so taking a deviation of one kind away does not shift those of another.
 */
final class Choices {
  /** What is chosen; the letter stands for it in a schedule. */
  enum Kind {
    ORDER('o'),
    LOOK('l'),
    FAULT('f'),
    LENGTH('n');

    final char letter;

    Kind(char letter) {
      this.letter = letter;
    }
  }

  /** How often a seed deviates: some rarely, which keeps the order of most, some all the time. */
  private static final double[] RATES = {0.5, 0.15, 0.05, 0.9};

  private final @Nullable SplittableRandom random;
  private final double rate;
  private final Schedule given;
  private final Map<Kind, Integer> made = new EnumMap<>(Kind.class);
  private final List<Schedule.Deviation> taken = new ArrayList<>();
  private final List<String> descriptions = new ArrayList<>();

  private Choices(@Nullable SplittableRandom random, double rate, Schedule given) {
    this.random = random;
    this.rate = rate;
    this.given = given;
  }

  /** Chooses at random, the same for the same seed. */
  static Choices seeded(long seed) {
    double rate = RATES[(int) Math.floorMod(seed, (long) RATES.length)];
    return new Choices(new SplittableRandom(seed), rate, Schedule.NONE);
  }

  /** Chooses as a schedule says, and the first where it says nothing. */
  static Choices of(Schedule schedule) {
    return new Choices(null, 0, schedule);
  }

  /** One of the ready fibers. */
  int order(int size) {
    return choose(Kind.ORDER, size, rate);
  }

  /** If to look for readiness though fibers are ready. */
  boolean looksEarly() {
    return choose(Kind.LOOK, 2, rate / 2) != 0;
  }

  /** One of the faults of a call, from 1 on; or 0 for none. */
  int fault(int faults, double faultRate) {
    return choose(Kind.FAULT, faults + 1, faultRate);
  }

  /** How many bytes of a call go, from 1 on and fewer than all; often 1. */
  long length(long all) {
    int lengths = (int) Math.min(all - 1, Integer.MAX_VALUE);
    return lengths < 2 ? 1 : 1 + choose(Kind.LENGTH, lengths, 0.5);
  }

  private int choose(Kind kind, int size, double deviates) {
    int at = made.merge(kind, 1, Integer::sum) - 1;
    int choice = 0;
    if (random == null) {
      choice = Math.min(given.at(kind, at), size - 1);
    } else if (random.nextDouble() < deviates) {
      choice = 1 + random.nextInt(size - 1);
    }
    if (choice != 0) {
      taken.add(new Schedule.Deviation(kind, at, choice));
    }
    return choice;
  }

  /** Says in words what the last deviation was. */
  void describe(String what) {
    descriptions.add(what);
  }

  /** The deviations so far. */
  Schedule taken() {
    return new Schedule(taken);
  }

  /** What they were, in words, as far as they were described. */
  List<String> descriptions() {
    return descriptions;
  }
}
