package dev.fdfiber;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * What was forked into a scope: the future that the forker gets, and what the scope knows of the
 * fiber behind it. A child that ends by a cancel which its scope, or its future, asked for counts
 * as cancelled and not as failed.
 */
final class ScopeChild<T> extends FutureTask<T> {
  private static final int DEEPEST_CAUSE = 20;

  private final ScopeChildren siblings;
  private @Nullable Task task; // null: it never got one
  private @Nullable Throwable failure;

  ScopeChild(ScopeChildren siblings, Callable<T> body) {
    super(body);
    this.siblings = siblings;
  }

  void startedAs(Task fiber) {
    task = fiber;
  }

  Task task() {
    return Objects.requireNonNull(task, "a child that never started is on no list");
  }

  /** The fiber's body. */
  void runInFiber() {
    try {
      run();
    } finally {
      siblings.ended(this);
    }
  }

  @Override
  protected void setException(Throwable t) {
    if ((siblings.isStopped() || isCancelled()) && isCancel(t)) {
      super.cancel(false);
    } else {
      failure = t;
      super.setException(t);
    }
  }

  /** What it failed with, also when its future had been cancelled before. */
  @Nullable Throwable failure() {
    return failure;
  }

  /** A fiber that was told to end may say so in its own words: it keeps its interrupt status. */
  static boolean isCancel(Throwable thrown) {
    boolean interrupted = Thread.currentThread().isInterrupted();
    Throwable t = thrown;
    for (int depth = 0; t != null && depth < DEEPEST_CAUSE; depth++) {
      if (t instanceof InterruptedException
          || t instanceof ClosedByInterruptException
          || t instanceof CancellationException
          || (t instanceof IOException && interrupted)) {
        return true;
      }
      t = t.getCause();
    }
    return false;
  }

  /** The fiber was given up, or its scheduler closed before it began. */
  void neverEnds() {
    super.cancel(false);
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    boolean mine = super.cancel(false);
    Task running = task;
    if (mine && mayInterruptIfRunning && running != null) {
      running.loop.cancel(running);
    }
    return mine;
  }

  @Override
  public T get() throws InterruptedException, ExecutionException {
    requireNoHang();
    return super.get();
  }

  @Override
  public T get(long timeout, TimeUnit unit)
      throws InterruptedException, ExecutionException, TimeoutException {
    requireNoHang();
    return super.get(timeout, unit);
  }

  private void requireNoHang() {
    Task running = task;
    if (running == null || isDone() || Thread.currentThread().isVirtual()) {
      return;
    }
    if (siblings.isDrivenHere()) {
      throw new IllegalStateException(
          "fiber "
              + running.name()
              + " has not ended, and this thread would wait for ever, since it is the one that"
              + " drives it; call join() of the scope, or drive the scheduler, first");
    }
  }

  @Override
  public String toString() {
    Task running = task;
    String name = running == null ? "a child that never started" : "fiber " + running.name();
    return "future of " + name + " (" + state() + ")";
  }
}
