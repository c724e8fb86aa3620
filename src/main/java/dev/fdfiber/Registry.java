package dev.fdfiber;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The fibers of a scheduler that are alive: a list in the order of their first submission, which
 * holds no object but the tasks. The driver changes it; any thread may read, weakly consistent.
 */
final class Registry {
  private final AtomicLong ids = new AtomicLong();
  private final AtomicInteger arriving = new AtomicInteger(); // started, still in the inbox
  private final IdentityHashMap<Runnable, Task> adopted = new IdentityHashMap<>();
  private @Nullable Task first;
  private @Nullable Task last;
  private int alive;
  private long registrations;

  // ---- any thread

  long newId() {
    return ids.incrementAndGet();
  }

  int aliveCount() {
    return alive + arriving.get();
  }

  /** A fiber was started by another thread than the driver, and goes to the inbox. */
  void arrives() {
    arriving.incrementAndGet();
  }

  /** It did not get there. */
  void arrivedNever() {
    arriving.decrementAndGet();
  }

  /** All that are alive and known to the driver, in order. */
  List<Task> tasks() {
    Set<Task> tasks = new LinkedHashSet<>();
    boolean complete = false;
    for (int tries = 0; tries < 100 && !complete; tries++) {
      Task reached = null;
      for (Task t = first; t != null; t = t.nextAlive) {
        tasks.add(t);
        reached = t;
      }
      // A task that ended under the reader leads nowhere.
      complete = reached == null || reached.state() != Fiber.State.DONE;
    }
    tasks.removeIf(t -> t.state() == Fiber.State.DONE);
    return new ArrayList<>(tasks);
  }

  // ---- the driver

  /** Grows with every registration. */
  long registrations() {
    return registrations;
  }

  /** How many are alive, those not counted that are still in the inbox. */
  int knownCount() {
    return alive;
  }

  @Nullable Task first() {
    return first;
  }

  /** The task of a thread that a fiber started by itself, or null. */
  @Nullable Task adopted(Runnable continuation) {
    return adopted.get(continuation);
  }

  void adopt(Runnable continuation, Task task) {
    adopted.put(continuation, task);
    add(task);
  }

  /** Takes a task in that came through the inbox; false if it is known. */
  boolean addArrived(Task task) {
    if (task.known) {
      return false;
    }
    add(task);
    arriving.decrementAndGet();
    return true;
  }

  void add(Task task) {
    task.previousAlive = last;
    if (last == null) {
      first = task;
    } else {
      last.nextAlive = task;
    }
    last = task;
    task.known = true;
    task.listed = true;
    alive++;
    registrations++;
  }

  /** Takes a task out; false if it was out already. */
  boolean remove(Task task) {
    if (!task.listed) {
      return false;
    }
    task.listed = false;
    Task before = task.previousAlive;
    Task after = task.nextAlive;
    task.nextAlive = null; // or a handle that somebody keeps would keep all that came later
    task.previousAlive = null;
    if (before == null) {
      first = after;
    } else {
      before.nextAlive = after;
    }
    if (after == null) {
      last = before;
    } else {
      after.previousAlive = before;
    }
    alive--;
    // Who was given up stays known, or its next wake-up would make it a new fiber.
    if (task.isAdopted() && task.continuation != null && !task.abandoned) {
      adopted.remove(task.continuation);
    }
    return true;
  }
}
