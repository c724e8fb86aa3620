package dev.fdfiber;

import java.lang.ref.WeakReference;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Notices a fiber that holds its driver: it runs longer than a limit without parking, and every
 * other fiber of its scheduler waits. Reported once for each place in the code, with the stack.
 *
 * <p>One thread of the JVM looks at each watched scheduler twice per limit, and compares which
 * resume is going on: a fiber that is on the driver in two looks, and was not resumed again
 * between, has held it. That costs the loop one addition for each resume and no fence; what the
 * watch sees late only delays a report. It keeps no scheduler alive, and ends with the last one.
 */
final class HeldWatch {
  private static final int MOST_PLACES = 100;
  private static final CopyOnWriteArrayList<HeldWatch> WATCHES = new CopyOnWriteArrayList<>();
  private static final Object STARTING = new Object();

  private final WeakReference<Loop> watched;
  private final String scheduler;
  private final long limitNanos;
  private final Set<String> places = new HashSet<>();

  private @Nullable Task seen;
  private long seenResumes;
  private long seenSince;
  private boolean reported;

  private HeldWatch(Loop loop, String scheduler, long limitNanos) {
    this.watched = new WeakReference<>(loop);
    this.scheduler = scheduler;
    this.limitNanos = limitNanos;
  }

  /** Watches a scheduler from now until it is closed. */
  static void over(Loop loop, String scheduler, long limitNanos) {
    synchronized (STARTING) {
      boolean first = WATCHES.isEmpty();
      WATCHES.add(new HeldWatch(loop, scheduler, limitNanos));
      if (first) {
        Thread.ofPlatform().daemon().name("fdfiber-watch").start(HeldWatch::watchAll);
      }
    }
  }

  private static void watchAll() {
    while (true) {
      long pause = Long.MAX_VALUE;
      for (HeldWatch watch : WATCHES) {
        if (!watch.look(SystemClock.INSTANCE.nanoTime()) && wasLast(watch)) {
          return;
        }
        pause = Math.min(pause, watch.limitNanos / 2);
      }
      LockSupport.parkNanos(Math.clamp(pause, 1_000_000L, TimeUnit.SECONDS.toNanos(1)));
    }
  }

  /** Takes a watch away; true if there is none left, and the next one starts another thread. */
  private static boolean wasLast(HeldWatch watch) {
    synchronized (STARTING) {
      WATCHES.remove(watch);
      return WATCHES.isEmpty();
    }
  }

  /** False when there is nothing to watch any more. */
  @SuppressWarnings("ReferenceEquality") // a task is itself alone
  private boolean look(long now) {
    Loop loop = watched.get();
    if (loop == null || loop.scheduler.driver().shutdown().isClosed()) {
      return false;
    }
    Task task = loop.driver == null ? null : loop.running();
    long resumes = loop.resumes();
    if (task == null || task != seen || resumes != seenResumes) {
      seen = task;
      seenResumes = resumes;
      seenSince = now;
      reported = false;
    } else if (!reported && now - seenSince >= limitNanos) {
      reported = true;
      report(loop, task, now - seenSince);
    }
    return true;
  }

  private void report(Loop loop, Task task, long nanos) {
    Thread thread = task.thread;
    List<StackTraceElement> stack = thread == null ? List.of() : List.of(thread.getStackTrace());
    loop.held(task, nanos, stack);
    StackTraceElement frame = Frames.firstOfUsers(stack);
    String place = frame == null ? "" : frame.getClassName() + "." + frame.getMethodName();
    if (places.size() < MOST_PLACES && places.add(place)) {
      Reports.holds(scheduler, task, nanos, stack);
    }
  }
}
