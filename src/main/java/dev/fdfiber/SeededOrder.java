package dev.fdfiber;

import java.util.List;
import java.util.SplittableRandom;

/** What {@link Scheduler.Builder#seed} asks for: any of the ready fibers, by a seeded choice. */
final class SeededOrder implements Steering {
  private final SplittableRandom random;

  SeededOrder(long seed) {
    random = new SplittableRandom(seed);
  }

  @Override
  public int choose(List<Fiber> ready) {
    return random.nextInt(ready.size());
  }
}
