package dev.fdfiber;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The tasks that wait for a point in time: a binary heap by (deadline, order of registration). Each
 * task knows its place, so a wait that ends early leaves in O(log n) and leaves nothing behind.
 */
final class TimerQueue {
  private @Nullable Task[] heap = new Task[64];
  private int size;

  int size() {
    return size;
  }

  /** The task that is due first, or null. Any thread may look; what it sees may be stale. */
  @Nullable Task first() {
    return heap[0];
  }

  void add(Task task) {
    if (size == heap.length) {
      heap = Arrays.copyOf(heap, size * 2);
    }
    siftUp(size++, task);
  }

  void remove(Task task) {
    int hole = task.timerIndex;
    task.timerIndex = -1;
    Task moved = at(--size);
    heap[size] = null;
    if (moved != task) {
      siftDown(hole, moved);
      if (moved.timerIndex == hole) {
        siftUp(hole, moved);
      }
    }
  }

  private void siftUp(int start, Task task) {
    int i = start;
    while (i > 0) {
      int parent = (i - 1) >>> 1;
      Task above = at(parent);
      if (!isBefore(task, above)) {
        break;
      }
      place(i, above);
      i = parent;
    }
    place(i, task);
  }

  private void siftDown(int start, Task task) {
    int i = start;
    for (int child; (child = 2 * i + 1) < size; ) {
      if (child + 1 < size && isBefore(at(child + 1), at(child))) {
        child++;
      }
      Task below = at(child);
      if (!isBefore(below, task)) {
        break;
      }
      place(i, below);
      i = child;
    }
    place(i, task);
  }

  private void place(int i, Task task) {
    heap[i] = task;
    task.timerIndex = i;
  }

  private Task at(int i) {
    Task task = heap[i];
    if (task == null) {
      throw new IllegalStateException("no timer at " + i + " of " + size);
    }
    return task;
  }

  private static boolean isBefore(Task a, Task b) {
    long difference = a.deadlineNanos - b.deadlineNanos;
    return difference < 0 || (difference == 0 && a.order() - b.order() < 0);
  }
}
