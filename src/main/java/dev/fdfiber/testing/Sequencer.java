package dev.fdfiber.testing;

import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Puts what several fibers do into one order, by named steps: whoever comes to a step waits until
 * all those before it were taken. Each step is taken once. Any thread.
 */
public final class Sequencer {
  private final List<String> steps;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition taken = lock.newCondition();
  private int next;

  private Sequencer(List<String> steps) {
    this.steps = steps;
  }

  /** The steps in their order; each name once. */
  public static Sequencer of(String... steps) {
    List<String> all = List.of(steps);
    if (all.stream().distinct().count() != all.size()) {
      throw new IllegalArgumentException("a step is there twice: " + all);
    }
    return new Sequencer(all);
  }

  /**
   * Takes a step; suspends until it is its turn.
   *
   * @throws IllegalArgumentException if there is no such step
   * @throws IllegalStateException if it was taken before
   */
  public void step(String name) throws InterruptedException {
    int index = steps.indexOf(name);
    if (index < 0) {
      throw new IllegalArgumentException("no step \"" + name + "\" in " + steps);
    }
    lock.lockInterruptibly();
    try {
      while (next < index) {
        taken.await();
      }
      if (next > index) {
        throw new IllegalStateException("step \"" + name + "\" was taken before");
      }
      next++;
      taken.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The steps taken so far, for messages. */
  @Override
  public String toString() {
    lock.lock();
    try {
      return "taken: " + steps.subList(0, next) + ", to come: " + steps.subList(next, steps.size());
    } finally {
      lock.unlock();
    }
  }
}
