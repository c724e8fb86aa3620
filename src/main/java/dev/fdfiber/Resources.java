package dev.fdfiber;

import dev.fdfiber.poller.Poller;
import java.lang.ref.Cleaner;

/**
 * What a scheduler holds of the system: an eventfd and native memory. It lets go of them when it is
 * closed, or when nobody can reach it any more, which is how the scheduler ends that a thread got
 * from {@link Scheduler#current} and left behind. One with fibers that still wait is always
 * reachable, because the JDK keeps every virtual thread that has not ended.
 */
final class Resources {
  private static final Cleaner CLEANER = Cleaner.create();

  private final Cleaner.Cleanable cleanable;

  private Resources(Cleaner.Cleanable cleanable) {
    this.cleanable = cleanable;
  }

  static Resources of(Scheduler scheduler, Waker waker, Poller poller) {
    return new Resources(CLEANER.register(scheduler, new Free(waker, poller)));
  }

  void free() {
    cleanable.clean();
  }

  private record Free(Waker waker, Poller poller) implements Runnable {
    @Override
    public void run() {
      waker.close();
      poller.close();
    }
  }
}
