package dev.fdfiber.testing;

import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** What another thread does in a test; what goes wrong there fails the test. */
public final class Elsewhere<T> {
  private final FutureTask<T> task;
  private final Thread thread;

  private Elsewhere(Callable<T> body, boolean virtual) {
    this.task = new FutureTask<>(body);
    this.thread =
        virtual
            ? Thread.ofVirtual().name("elsewhere").unstarted(task)
            : Thread.ofPlatform().daemon().name("elsewhere").unstarted(task);
  }

  /** What another thread does and may throw. */
  @FunctionalInterface
  public interface Action {
    void run() throws Exception;
  }

  /** Starts something in a platform thread. */
  public static <T> Elsewhere<T> start(Callable<T> body) {
    Elsewhere<T> elsewhere = new Elsewhere<>(body, false);
    elsewhere.thread.start();
    return elsewhere;
  }

  /** Does something in a platform thread, to its end. */
  public static void run(Action action) throws Exception {
    start(callable(action)).result();
  }

  /** Starts something in a platform thread. */
  public static Elsewhere<Void> begin(Action action) {
    return start(callable(action));
  }

  /** Does something in an ordinary virtual thread, to its end. */
  public static void runVirtual(Action action) throws Exception {
    Elsewhere<Void> elsewhere = new Elsewhere<>(callable(action), true);
    elsewhere.thread.start();
    elsewhere.result();
  }

  /** Waits until another thread is in a method, such as {@code ppoll}. */
  public static void awaitIn(String method, Thread thread) {
    while (Arrays.stream(thread.getStackTrace()).noneMatch(f -> f.getMethodName().equals(method))) {
      Thread.onSpinWait();
    }
  }

  public Thread thread() {
    return thread;
  }

  public boolean isDone() {
    return task.isDone();
  }

  /** Waits for the end, a minute at most, and throws what was thrown there. */
  public T result() throws Exception {
    try {
      T result = task.get(1, TimeUnit.MINUTES);
      thread.join();
      return result;
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case Exception exception -> throw exception;
        case Error error -> throw error;
        default -> throw e;
      }
    }
  }

  private static Callable<Void> callable(Action action) {
    return () -> {
      action.run();
      return null;
    };
  }
}
