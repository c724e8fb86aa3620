package dev.fdfiber;

import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/** One call that a fiber waits for and a platform thread makes. */
final class Offload<T> extends FutureTask<T> {
  private volatile @Nullable Thread runner;

  Offload(Callable<T> body) {
    super(body);
  }

  @Override
  public void run() {
    runner = Thread.currentThread();
    try {
      super.run();
    } finally {
      runner = null;
    }
  }

  /** Where it is, for people. Any thread. */
  String where() {
    Thread now = runner;
    if (now != null) {
      return "runs in thread " + now.getName();
    }
    return isDone() ? "is done" : "waits for a thread: " + BlockingThreads.describe();
  }
}
