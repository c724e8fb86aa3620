package dev.fdfiber;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The fibers of one scope that have not ended: forked, stopped and waited for.
 *
 * <p>All of it happens on the driver and in the scope's owner, which are one thread, until another
 * thread closes the scheduler and drives in its place. So the list has a lock; nothing waits inside
 * it.
 */
final class ScopeChildren {
  /** How long a child may take after a cancel before that is reported. */
  private static final long SLOW_NANOS = 5_000_000_000L;

  private final Loop loop;
  private final Driver driver;
  private final ScopeOwner owner;
  private final String scope;
  private final Consumer<ScopeChild<?>> onEnd;
  private final Map<Task, ScopeChild<?>> alive = new LinkedHashMap<>();
  private volatile boolean stopped;

  ScopeChildren(Loop loop, ScopeOwner owner, String scope, Consumer<ScopeChild<?>> onEnd) {
    this.loop = loop;
    this.driver = loop.scheduler.driver();
    this.owner = owner;
    this.scope = scope;
    this.onEnd = onEnd;
  }

  <T> ScopeChild<T> fork(@Nullable String name, Callable<T> body) {
    ScopeChild<T> child = new ScopeChild<>(this, body);
    synchronized (alive) {
      if (stopped) {
        child.neverEnds();
      } else {
        Task task = loop.scheduler.prepare(name, child::runInFiber);
        child.startedAs(task);
        alive.put(task, child);
        try {
          loop.scheduler.start(task);
        } catch (RuntimeException e) {
          alive.remove(task);
          throw e;
        }
      }
    }
    return child;
  }

  boolean contains(@Nullable Task task) {
    synchronized (alive) {
      return task != null && alive.containsKey(task);
    }
  }

  /** The last thing that a child does. */
  void ended(ScopeChild<?> child) {
    synchronized (alive) {
      alive.remove(child.task());
    }
    onEnd.accept(child);
  }

  boolean isStopped() {
    return stopped;
  }

  /** From now on nothing more is forked, and what is alive has been cancelled. */
  void stop() {
    List<Task> told;
    synchronized (alive) {
      if (stopped) {
        return;
      }
      stopped = true;
      told = new ArrayList<>(alive.keySet());
    }
    told.forEach(loop::cancel);
  }

  /** Those that have not ended, in the order of their forking. */
  List<String> names() {
    synchronized (alive) {
      return alive.keySet().stream().map(Task::name).toList();
    }
  }

  /** The same, as they are. */
  List<Task> tasks() {
    synchronized (alive) {
      return List.copyOf(alive.keySet());
    }
  }

  /** If the caller is the platform thread that has to drive the children. */
  boolean isDrivenHere() {
    return owner.isCaller() || driver.isOwner(Thread.currentThread());
  }

  // ---- waiting

  /** Waits until every child has ended. */
  void await() throws InterruptedException {
    for (ScopeChild<?> child; (child = first()) != null; ) {
      await(child.task());
    }
  }

  /** The same, and an interrupt has to wait; true if one came. */
  boolean awaitUninterruptibly() {
    boolean interrupted = Thread.interrupted();
    while (true) {
      try {
        await();
        return interrupted;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
  }

  private @Nullable ScopeChild<?> first() {
    synchronized (alive) {
      while (!alive.isEmpty()) {
        ScopeChild<?> child = alive.values().iterator().next();
        if (!child.task().is(Fiber.State.DONE)) {
          return child;
        }
        alive.remove(child.task());
        child.neverEnds(); // it was given up
      }
    }
    return null;
  }

  private void await(Task child) throws InterruptedException {
    if (await(child, stopped ? SLOW_NANOS : Times.FOREVER)) {
      return;
    }
    if (stopped && !child.is(Fiber.State.DONE)) {
      Reports.holdsScope(scope, child, SLOW_NANOS / 1e9);
      await(child, Times.FOREVER);
    }
  }

  private boolean await(Task child, long nanos) throws InterruptedException {
    Task me = Task.current();
    if (me != null) {
      return Parking.join(me, child, nanos);
    }
    if (driver.shutdown().hasBegun()) {
      return child.fiber.join(nanos); // somebody else drives it to its end
    }
    boolean ended;
    try {
      ended = driver.runUntilDone(child, nanos);
    } catch (IllegalStateException e) {
      if (driver.shutdown().hasBegun()) {
        return false; // meanwhile; the caller comes again
      }
      throw e;
    }
    if (!ended && Thread.interrupted()) {
      throw new InterruptedException("interrupted while waiting for fiber " + child.name());
    }
    return ended;
  }
}
