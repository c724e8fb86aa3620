package dev.fdfiber;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The tasks that are ready: first in, first out, or with a seed, a seeded choice among all of them.
 * For the driver and the fiber on it alone.
 */
final class ReadyQueue {
  private final @Nullable SplittableRandom choice;
  private @Nullable Task[] ring = new Task[64]; // a power of two
  private int head;
  private int size;

  ReadyQueue(@Nullable Long seed) {
    this.choice = seed == null ? null : new SplittableRandom(seed);
  }

  int size() {
    return size;
  }

  boolean isEmpty() {
    return size == 0;
  }

  void add(Task task) {
    if (size == ring.length) {
      grow();
    }
    ring[(head + size) & (ring.length - 1)] = task;
    size++;
  }

  /** Adds a task ahead of all others. */
  void addFirst(Task task) {
    if (size == ring.length) {
      grow();
    }
    head = (head - 1) & (ring.length - 1);
    ring[head] = task;
    size++;
  }

  /** Takes the next task; there must be one. */
  Task take() {
    if (choice != null) {
      swap(head, (head + choice.nextInt(size)) & (ring.length - 1));
    }
    return takeFirst();
  }

  private Task takeFirst() {
    Task task = ring[head];
    if (task == null) {
      throw new IllegalStateException("the ready queue is empty");
    }
    ring[head] = null;
    head = (head + 1) & (ring.length - 1);
    size--;
    return task;
  }

  /** Takes a task out of its turn, if it is here. */
  @SuppressWarnings("ReferenceEquality") // a task is itself alone
  void remove(Task task) {
    for (int turns = size; turns > 0; turns--) {
      Task next = takeFirst();
      if (next != task) {
        add(next);
      }
    }
  }

  private void swap(int a, int b) {
    Task moved = ring[a];
    ring[a] = ring[b];
    ring[b] = moved;
  }

  private void grow() {
    @Nullable Task[] larger = Arrays.copyOfRange(ring, head, head + ring.length * 2);
    System.arraycopy(ring, 0, larger, ring.length - head, head);
    ring = larger;
    head = 0;
  }
}
