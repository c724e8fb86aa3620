package dev.fdfiber;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;

/** The schedulers of this JVM. Keeps none of them alive. */
final class Schedulers {
  private static final List<WeakReference<Scheduler>> MADE = new ArrayList<>();

  private Schedulers() {}

  static void made(Scheduler scheduler) {
    synchronized (MADE) {
      MADE.removeIf(s -> s.refersTo(null));
      MADE.add(new WeakReference<>(scheduler));
    }
  }

  static void closed(Scheduler scheduler) {
    synchronized (MADE) {
      MADE.removeIf(s -> s.refersTo(scheduler));
    }
  }

  /** Those that are not closed, in the order in which they were made. */
  static List<Scheduler> open() {
    List<Scheduler> open = new ArrayList<>();
    synchronized (MADE) {
      for (WeakReference<Scheduler> made : MADE) {
        Scheduler scheduler = made.get();
        if (scheduler != null) {
          open.add(scheduler);
        }
      }
    }
    return open;
  }
}
