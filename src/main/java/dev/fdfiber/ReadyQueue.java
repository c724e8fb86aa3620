package dev.fdfiber;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The tasks that are ready: first in, first out, or as a {@link Steering} chooses among all of
 * them. For the driver and the fiber on it alone.
 */
final class ReadyQueue {
  private final @Nullable Steering steering;
  private final List<Fiber> fibers = new Fibers(); // for the steering
  private @Nullable Task[] ring = new Task[64]; // a power of two
  private int head;
  private int size;

  ReadyQueue(@Nullable Steering steering) {
    this.steering = steering;
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
    if (steering != null && size > 1) {
      bringToFront(steering.choose(fibers));
    }
    return takeFirst();
  }

  /** The others keep their order. */
  private void bringToFront(int index) {
    Task chosen = at(index);
    for (int i = index; i > 0; i--) {
      ring[(head + i) & (ring.length - 1)] = at(i - 1);
    }
    ring[head] = chosen;
  }

  private Task at(int index) {
    Task task = ring[(head + index) & (ring.length - 1)];
    if (index < 0 || index >= size || task == null) {
      throw new IndexOutOfBoundsException(index + " of " + size + " ready fibers");
    }
    return task;
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

  private void grow() {
    @Nullable Task[] larger = Arrays.copyOfRange(ring, head, head + ring.length * 2);
    System.arraycopy(ring, 0, larger, ring.length - head, head);
    ring = larger;
    head = 0;
  }

  private final class Fibers extends AbstractList<Fiber> {
    @Override
    public Fiber get(int index) {
      return at(index).fiber;
    }

    @Override
    public int size() {
      return size;
    }
  }
}
