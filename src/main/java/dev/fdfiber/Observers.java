package dev.fdfiber;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** All that observe one scheduler: tells each of them, and reports what they throw. Immutable. */
final class Observers {
  private final Loop loop;
  private final Observer[] all;

  private Observers(Loop loop, List<Observer> all) {
    this.loop = loop;
    this.all = all.toArray(Observer[]::new);
  }

  boolean has(Observer observer) {
    return List.of(all).contains(observer);
  }

  /** Those and one more; null is none. */
  static Observers with(Loop loop, @Nullable Observers before, Observer observer) {
    if (before == null) {
      return new Observers(loop, List.of(observer));
    }
    return before.has(observer)
        ? before
        : new Observers(loop, Stream.concat(Stream.of(before.all), Stream.of(observer)).toList());
  }

  /** Those without one; null is none. */
  static @Nullable Observers without(@Nullable Observers before, Observer observer) {
    if (before == null || !before.has(observer)) {
      return before;
    }
    List<Observer> fewer = Stream.of(before.all).filter(o -> !o.equals(observer)).toList();
    return fewer.isEmpty() ? null : new Observers(before.loop, fewer);
  }

  void spawned(Task task, long nanos) {
    tell(o -> o.spawned(task.fiber, nanos));
  }

  void ready(Task task, @Nullable Task by, long nanos) {
    Fiber waker = by == null ? null : by.fiber;
    tell(o -> o.ready(task.fiber, waker, nanos));
  }

  void resumes(Task task, long readyNanos, long nanos) {
    tell(o -> o.resumes(task.fiber, readyNanos, nanos));
  }

  void left(Task task, Fiber.State state, long nanos) {
    boolean forFd = state == Fiber.State.WAITING_IO && task.fd() >= 0; // not for several
    int fd = forFd ? task.fd() : -1;
    int mode = forFd ? task.mode() : 0;
    tell(o -> o.left(task.fiber, state, fd, mode, nanos));
  }

  void looked(int resumed, int woken, long startNanos, long nanos) {
    tell(o -> o.looked(resumed, woken, startNanos, nanos));
  }

  void pollerSwitched(PollerKind kind, long nanos) {
    tell(o -> o.pollerSwitched(kind, nanos));
  }

  void held(Task task, long heldNanos, List<StackTraceElement> stack) {
    tell(o -> o.held(task.fiber, heldNanos, stack));
  }

  private void tell(Consumer<Observer> event) {
    for (Observer observer : all) {
      try {
        event.accept(observer);
      } catch (Throwable t) {
        if (loop.detach(observer)) {
          Reports.observerFailed(observer, t);
        }
      }
    }
  }
}
