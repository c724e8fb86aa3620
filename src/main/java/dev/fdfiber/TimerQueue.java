package dev.fdfiber;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The tasks that wait for a point in time: a heap of four branches by (deadline, order of
 * registration). Each task knows its slot, so a wait that ends early leaves in O(log n) and leaves
 * nothing behind.
 *
 * <p>What moves when the heap changes are numbers in arrays of their own. Of a hundred thousand
 * tasks hardly one is in the processor's caches, so none is touched but the one that comes or goes,
 * and two of the same deadline.
 */
final class TimerQueue {
  private static final int BRANCHES = 4; // whose deadlines are neighbours in memory

  private long[] deadlines = new long[64]; // by place in the heap
  private int[] slots = new int[64]; // by place: which slot; behind the size, those that are free
  private int[] places = new int[64]; // by slot
  private @Nullable Task[] tasks = new Task[64]; // by slot
  private int size;

  TimerQueue() {
    Arrays.setAll(slots, i -> i);
  }

  int size() {
    return size;
  }

  /**
   * When the first is due; any time if there is none. Any thread may ask; what it sees may be
   * stale.
   */
  long firstNanos() {
    return deadlines[0];
  }

  void add(Task task) {
    if (size == slots.length) {
      grow();
    }
    int slot = slots[size];
    tasks[slot] = task;
    task.timerSlot = slot;
    siftUp(size++, task.deadlineNanos, slot);
  }

  private void grow() {
    int n = size + (size >> 1);
    deadlines = Arrays.copyOf(deadlines, n);
    places = Arrays.copyOf(places, n);
    tasks = Arrays.copyOf(tasks, n);
    slots = Arrays.copyOf(slots, n);
    for (int i = size; i < n; i++) {
      slots[i] = i;
    }
  }

  void remove(Task task) {
    removeAt(places[task.timerSlot]);
  }

  /** Takes off the first if it is due by then, or null. */
  @Nullable Task removeDue(long nanos) {
    return size > 0 && deadlines[0] - nanos <= 0 ? removeAt(0) : null;
  }

  private Task removeAt(int hole) {
    int slot = slots[hole];
    Task task = task(slot);
    tasks[slot] = null;
    task.timerSlot = -1;
    size--;
    long deadline = deadlines[size];
    int moved = slots[size];
    slots[size] = slot;
    if (hole < size && !siftUp(hole, deadline, moved)) {
      siftDown(hole, deadline, moved);
    }
    return task;
  }

  /** True if it went up. */
  private boolean siftUp(int start, long deadline, int slot) {
    int i = start;
    while (i > 0) {
      int parent = (i - 1) / BRANCHES;
      if (!isBefore(deadline, slot, parent)) {
        break;
      }
      place(i, deadlines[parent], slots[parent]);
      i = parent;
    }
    place(i, deadline, slot);
    return i < start;
  }

  private void siftDown(int start, long deadline, int slot) {
    int i = start;
    for (int child; (child = i * BRANCHES + 1) < size; ) {
      int end = Math.min(child + BRANCHES, size);
      int least = child;
      while (++child < end) {
        if (isBefore(deadlines[child], slots[child], least)) {
          least = child;
        }
      }
      if (isBefore(deadline, slot, least)) {
        break;
      }
      place(i, deadlines[least], slots[least]);
      i = least;
    }
    place(i, deadline, slot);
  }

  private void place(int i, long deadline, int slot) {
    deadlines[i] = deadline;
    slots[i] = slot;
    places[slot] = i;
  }

  /** If that comes before what is at a place: times wrap around, and ties keep their order. */
  private boolean isBefore(long deadline, int slot, int place) {
    long difference = deadline - deadlines[place];
    return difference < 0 || (difference == 0 && order(slot) - order(slots[place]) < 0);
  }

  private long order(int slot) {
    return task(slot).order();
  }

  private Task task(int slot) {
    Task task = tasks[slot];
    if (task == null) {
      throw new IllegalStateException("no timer in slot " + slot);
    }
    return task;
  }
}
