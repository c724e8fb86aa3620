package dev.fdfiber;

import java.util.Comparator;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Points in time at which something happens that is no fiber's wait: the deadlines of scopes. They
 * ring at the end of a look, after the waits that it ended, because a wait that is over wins over a
 * cancel; and in the order of their time, then of their setting. Any thread may set and look; only
 * the driver lets them ring.
 */
final class Alarms {
  /** Something with a deadline. */
  abstract static class Alarm {
    private long deadlineNanos;
    private long order;

    final long deadlineNanos() {
      return deadlineNanos;
    }

    /** Its time has come. The driver; it is no longer set. */
    abstract void ring();

    final boolean isBefore(Alarm other) {
      return ORDER.compare(this, other) < 0;
    }
  }

  private static final Comparator<Alarm> ORDER =
      (a, b) -> {
        long difference = a.deadlineNanos - b.deadlineNanos; // times wrap around
        return difference != 0 ? Long.signum(difference) : Long.compare(a.order, b.order);
      };

  private final ConcurrentSkipListSet<Alarm> set = new ConcurrentSkipListSet<>(ORDER);
  private final AtomicLong orders = new AtomicLong();

  void set(Alarm alarm, long deadlineNanos) {
    alarm.deadlineNanos = deadlineNanos;
    alarm.order = orders.incrementAndGet();
    set.add(alarm);
  }

  /** Takes an alarm back; nothing if it is not set. */
  void cancel(Alarm alarm) {
    set.remove(alarm);
  }

  /** The one that rings first, or null. */
  @Nullable Alarm first() {
    return set.isEmpty() ? null : firstNow();
  }

  private @Nullable Alarm firstNow() {
    var all = set.iterator();
    return all.hasNext() ? all.next() : null;
  }

  /** Lets all ring whose time has come. */
  void ring(Clock clock) {
    Alarm alarm = first();
    if (alarm == null) {
      return;
    }
    long now = clock.nanoTime();
    for (; alarm != null && alarm.deadlineNanos - now <= 0; alarm = first()) {
      if (set.remove(alarm)) {
        alarm.ring();
      }
    }
  }
}
