package dev.fdfiber;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
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
   * @param owner what it has of scopes and shields, if it has any
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
  private final Map<Task, FiberScope> scopes;
  private final boolean exact;

  private Census(Loop loop, boolean exact) {
    this.exact = exact;
    this.scopes = scopes(loop);
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

  /** The stack of one fiber; empty if there is none, or if the driver is held by another. */
  static Optional<List<StackTraceElement>> stack(Loop loop, Driver driver, long id) {
    for (Task task : loop.tasks()) {
      Thread thread = task.thread;
      if (task.id == id && thread != null) {
        Supplier<List<StackTraceElement>> take = () -> Frames.shown(thread.getStackTrace());
        Optional<List<StackTraceElement>> taken =
            Errand.run(loop, driver, take, Errand.PATIENCE_NANOS);
        return taken.isEmpty() && task == loop.running() ? Optional.of(take.get()) : taken;
      }
    }
    return Optional.empty();
  }

  private Entry entry(Loop loop, Task task, long now, boolean withStack) {
    Thread thread = task.thread;
    Offload<?> offload = loop.offloads.get(task);
    return new Entry(
        task,
        Snapshot.info(task, now, scopes.get(task)),
        withStack && thread != null ? Frames.shown(thread.getStackTrace()) : List.of(),
        loop.joining.get(task),
        offload == null ? null : offload.where(),
        loop.ownerOf(task),
        scopes.get(task));
  }

  /** Which scope each fiber was forked into that was forked into one. Any thread. */
  static Map<Task, FiberScope> scopes(Loop loop) {
    if (loop.owners.isEmpty()) {
      return Map.of();
    }
    Map<Task, FiberScope> scopes = new HashMap<>();
    for (ScopeOwner owner : loop.owners.values()) {
      for (FiberScope s = owner.innermost(); s != null; s = s.outer()) {
        for (Task child : s.childTasks()) {
          scopes.put(child, s);
        }
      }
    }
    return scopes;
  }

  /** A name may come from anywhere: it stays on its line. */
  static String printable(String name) {
    return name.replaceAll("\\p{Cntrl}", "?");
  }
}
