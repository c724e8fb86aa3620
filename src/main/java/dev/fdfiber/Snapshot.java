package dev.fdfiber;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What any thread may see of a scheduler: weakly consistent, and without disturbing it. */
final class Snapshot {
  private Snapshot() {}

  static OptionalLong nextWakeNanos(Loop loop) {
    if (loop.isAnyReady()) {
      return OptionalLong.of(0);
    }
    long nanos = loop.waits.timerNanos();
    return nanos < 0 ? OptionalLong.empty() : OptionalLong.of(nanos);
  }

  static List<FiberInfo> fibers(Loop loop) {
    long now = loop.clock.nanoTime();
    Map<Task, FiberScope> scopes = Census.scopes(loop);
    return loop.tasks().stream().map(task -> info(task, now, scopes.get(task))).toList();
  }

  static FiberInfo info(Task task, long now) {
    return info(task, now, Census.scopes(task.loop).get(task));
  }

  /** The same; {@code scope} is the one that it was forked into. */
  static FiberInfo info(Task task, long now, @Nullable FiberScope scope) {
    Fiber.State state = task.state();
    boolean waits = state == Fiber.State.WAITING_IO;
    boolean forFd = waits && task.fd() >= 0; // not for several
    GroupWait group = waits ? task.group : null;
    Task parent = scope == null ? null : scope.owner().task();
    Task joined = task.loop.joining.get(task);
    boolean timed = task.suspended && task.timerSlot >= 0;
    return new FiberInfo(
        task.id,
        task.name(),
        state,
        Math.max(0, now - task.sinceNanos),
        Optional.ofNullable(task.thread),
        forFd ? OptionalInt.of(task.fd()) : OptionalInt.empty(),
        forFd ? task.mode() : 0,
        forFd ? List.of(task.fd()) : group == null ? List.of() : group.fds(),
        timed ? OptionalLong.of(task.deadlineNanos - now) : OptionalLong.empty(),
        joined == null ? OptionalLong.empty() : OptionalLong.of(joined.id),
        parent == null ? OptionalLong.empty() : OptionalLong.of(parent.id));
  }
}
