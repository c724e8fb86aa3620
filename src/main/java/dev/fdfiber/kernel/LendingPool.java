package dev.fdfiber.kernel;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * Lends native scratch memory for the length of one call: no lock, no thread local, no owner. When
 * every item is out, a fresh one is made; when every place is taken, the one handed back is left to
 * the garbage collector, so items must need no closing (use {@code Arena.ofAuto()}).
 */
final class LendingPool<T> {
  private static final int PLACES = 16; // a power of two

  private final AtomicReferenceArray<T> places = new AtomicReferenceArray<>(PLACES);
  private final Supplier<T> maker;

  LendingPool(Supplier<T> maker) {
    this.maker = maker;
  }

  T take() {
    for (int i = 0; i < PLACES; i++) {
      if (places.getPlain(i) != null) {
        T item = places.getAndSet(i, null);
        if (item != null) {
          return item;
        }
      }
    }
    return maker.get();
  }

  /** Two who give at once may use one place, and one of the items is lost: that costs an item. */
  void give(T item) {
    for (int i = 0; i < PLACES; i++) {
      if (places.getPlain(i) == null) {
        places.setRelease(i, item); // no fence, which a compare-and-set would be
        return;
      }
    }
  }
}
