package dev.fdfiber.poller;

import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The waits of a scheduler by descriptor, for whichever poller asks about them. Those in use are
 * the first {@link #size} slots; one that is freed is filled by the last, and what was there is
 * used again.
 */
final class WaitTable {
  private final FdMap slotOf = new FdMap();
  private @Nullable Waited[] slots = new Waited[16];
  private int size;
  private int waits;

  /** How many descriptors are waited for. */
  int size() {
    return size;
  }

  /** How many waits there are. */
  int waits() {
    return waits;
  }

  Waited at(int slot) {
    Waited waited = slots[slot];
    if (waited == null) {
      throw new IllegalStateException("no descriptor at " + slot + " of " + size);
    }
    return waited;
  }

  /** What waits for a descriptor, or null. */
  @Nullable Waited get(int fd) {
    int slot = slotOf.get(fd);
    return slot < 0 ? null : slots[slot];
  }

  /** Adds a wait, and its descriptor in the last slot if it is the first. */
  Waited add(Wait wait) {
    Waited waited = get(wait.fd());
    if (waited == null) {
      waited = take(wait.fd());
    }
    waited.append(wait);
    waits++;
    return waited;
  }

  private Waited take(int fd) {
    if (size == slots.length) {
      slots = Arrays.copyOf(slots, size * 2);
    }
    Waited waited = slots[size];
    if (waited == null) {
      waited = new Waited(size);
      slots[size] = waited;
    }
    waited.fd = fd;
    waited.armed = 0;
    waited.number = 0;
    waited.lasting = null;
    slotOf.put(fd, size++);
    return waited;
  }

  /** Takes a wait off; what waited for its descriptor stays in its slot, maybe empty. */
  Waited remove(Wait wait) {
    Waited waited = wait.waited;
    if (waited == null) {
      throw new IllegalStateException("nothing waits for fd " + wait.fd() + " with " + wait);
    }
    waited.unlink(wait);
    waits--;
    return waited;
  }

  /** Hands out what is over, see {@link Waited#handOut}. */
  void handOut(Waited waited, int seen, boolean askedOnly, Consumer<Wait> ready) {
    waits -= waited.handOut(seen, askedOnly, ready);
  }

  /** Frees the slot of a descriptor that nobody waits for any more; the last one moves there. */
  Waited free(Waited waited) {
    int slot = waited.slot;
    slotOf.remove(waited.fd);
    Waited moved = at(--size);
    if (moved != waited) {
      slots[slot] = moved;
      slots[size] = waited;
      moved.slot = slot;
      waited.slot = size;
      slotOf.put(moved.fd, slot);
    }
    return moved;
  }
}
