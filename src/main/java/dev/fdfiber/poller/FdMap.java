package dev.fdfiber.poller;

import java.util.Arrays;

/**
 * A map from descriptors to slots: open addressing, linear probing, no boxing. Descriptors are
 * dense small numbers, which makes the number itself a perfect hash most of the time; a sparse one
 * costs a probe and not memory.
 */
final class FdMap {
  private static final int FREE = -1;

  private int[] fds = new int[16];
  private int[] slots = new int[16];
  private int size;

  FdMap() {
    Arrays.fill(fds, FREE);
  }

  /** The slot of a descriptor, or -1; for a negative number always -1. */
  int get(int fd) {
    if (fd < 0) {
      return -1; // or it would find a free place
    }
    int i = find(fd);
    return fds[i] == fd ? slots[i] : -1;
  }

  void put(int fd, int slot) {
    int i = find(fd);
    if (fds[i] == FREE) {
      size++;
      fds[i] = fd;
    }
    slots[i] = slot;
    if (size * 2 > fds.length) {
      grow();
    }
  }

  void remove(int fd) {
    int hole = find(fd);
    if (fds[hole] == FREE) {
      return;
    }
    size--;
    int mask = fds.length - 1;
    for (int i = (hole + 1) & mask; fds[i] != FREE; i = (i + 1) & mask) {
      int home = fds[i] & mask;
      boolean reachable = hole <= i ? hole < home && home <= i : hole < home || home <= i;
      if (!reachable) {
        fds[hole] = fds[i];
        slots[hole] = slots[i];
        hole = i;
      }
    }
    fds[hole] = FREE;
  }

  private int find(int fd) {
    int mask = fds.length - 1;
    int i = fd & mask;
    while (fds[i] != FREE && fds[i] != fd) {
      i = (i + 1) & mask;
    }
    return i;
  }

  private void grow() {
    int[] oldFds = fds;
    int[] oldSlots = slots;
    fds = new int[oldFds.length * 2];
    slots = new int[oldFds.length * 2];
    Arrays.fill(fds, FREE);
    for (int i = 0; i < oldFds.length; i++) {
      if (oldFds[i] != FREE) {
        int at = find(oldFds[i]);
        fds[at] = oldFds[i];
        slots[at] = oldSlots[i];
      }
    }
  }
}
