package dev.fdfiber;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All fibers of a scheduler at one moment, with what each of them waits for. Taken by the driver
 * between two resumes it is exact, and has their stacks; taken by another thread while a fiber
 * holds the driver it has the stack of that one alone, since taking the stack of a fiber that may
 * go on at any time makes runs of it that do nothing.
 */
final class Census {
  /**
   * A fiber.
   *
   * @param stack what people want to see of it; empty if it has not run, or was not taken
   * @param joined the fiber that it waits for
   * @param blocking where its call in {@link Blocking} is
   * @param parent the scope that it was forked into
   */
  record Entry(
      Task task,
      FiberInfo info,
      List<StackTraceElement> stack,
      @Nullable Task joined,
      @Nullable String blocking,
      @Nullable ScopeOwner owner,
      @Nullable FiberScope parent) {

    String name() {
      return "#" + info.id() + " " + printable(info.name());
    }
  }

  private final List<Entry> entries = new ArrayList<>();
  private final Map<Task, FiberScope> parents;
  private final boolean exact;

  private Census(Loop loop, boolean exact) {
    this.exact = exact;
    this.parents = parents(loop);
    long now = loop.clock.nanoTime();
    Task running = loop.running();
    for (Task task : loop.tasks()) {
      entries.add(entry(loop, task, now, exact || task == running));
    }
  }

  /** On the driver, or in the place of it. */
  static Census exact(Loop loop) {
    return new Census(loop, true);
  }

  /** Any thread, while a fiber holds the driver. */
  static Census ofHeld(Loop loop) {
    return new Census(loop, false);
  }

  /** The fibers, in spawn order. */
  List<Entry> entries() {
    return entries;
  }

  /** If it was taken between two resumes. */
  boolean isExact() {
    return exact;
  }

  private Entry entry(Loop loop, Task task, long now, boolean withStack) {
    Thread thread = task.thread;
    Offload<?> offload = loop.offloads.get(task);
    return new Entry(
        task,
        Snapshot.info(task, now),
        withStack && thread != null ? Frames.shown(thread.getStackTrace()) : List.of(),
        loop.joining.get(task),
        offload == null ? null : offload.where(),
        loop.ownerOf(task),
        parents.get(task));
  }

  private static Map<Task, FiberScope> parents(Loop loop) {
    Map<Task, FiberScope> parents = new HashMap<>();
    for (ScopeOwner owner : loop.owners.values()) {
      for (FiberScope s = owner.innermost(); s != null; s = s.outer()) {
        for (Task child : s.childTasks()) {
          parents.put(child, s);
        }
      }
    }
    return parents;
  }

  /** A name may come from anywhere: it stays on its line. */
  static String printable(String name) {
    return name.replaceAll("\\p{Cntrl}", "?");
  }
}
