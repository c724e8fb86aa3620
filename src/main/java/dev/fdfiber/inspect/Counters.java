package dev.fdfiber.inspect;

import java.util.concurrent.atomic.AtomicLongArray;

/** Numbers that one thread at a time counts, without a full fence, and any thread reads. */
final class Counters {
  private final AtomicLongArray values;

  Counters(int size) {
    this.values = new AtomicLongArray(size);
  }

  void add(int counter, long more) {
    values.setRelease(counter, values.getPlain(counter) + more);
  }

  /** Sets it to a value, if that is larger. */
  void raise(int counter, long value) {
    if (value > values.getPlain(counter)) {
      values.setRelease(counter, value);
    }
  }

  /** Any thread. */
  long get(int counter) {
    return values.getAcquire(counter);
  }
}
