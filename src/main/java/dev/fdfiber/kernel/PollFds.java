package dev.fdfiber.kernel;

import dev.fdfiber.libc.pollfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A growing native array of {@code struct pollfd}, poll(2). For one thread at a time; whoever makes
 * it closes it.
 */
public final class PollFds implements AutoCloseable {
  private static final long SIZE = pollfd.sizeof();
  private static final long FD = pollfd.fd$offset();
  private static final long EVENTS = pollfd.events$offset();
  private static final long REVENTS = pollfd.revents$offset();

  private Arena arena = Arena.ofShared();
  private MemorySegment array;
  private int capacity;

  /** Makes an array with room for {@code capacity} entries before it grows. */
  public PollFds(int capacity) {
    this.capacity = capacity;
    this.array = LinuxKernel.unchecked(arena.allocate(capacity * SIZE, 8));
  }

  /** The native array, for {@link Kernel#ppoll}. It moves when it grows. */
  public MemorySegment array() {
    return array;
  }

  /** Sets entry {@code index}, growing the array where needed; {@code fd} -1 is passed over. */
  public void set(int index, int fd, int events) {
    if (index >= capacity) {
      grow(index);
    }
    encode(array, index, fd, events);
  }

  /** Writes entry {@code index} of an array of one's own. */
  static void encode(MemorySegment array, int index, int fd, int events) {
    array.set(pollfd.fd$layout(), index * SIZE + FD, fd);
    array.set(pollfd.events$layout(), index * SIZE + EVENTS, (short) events);
    array.set(pollfd.revents$layout(), index * SIZE + REVENTS, (short) 0);
  }

  /** The descriptor of entry {@code index}. */
  public int fd(int index) {
    return fd(array, index);
  }

  /** The descriptor of an entry in the array of a call to poll. */
  public static int fd(MemorySegment array, int index) {
    return array.get(pollfd.fd$layout(), index * SIZE + FD);
  }

  /**
   * Says of an entry in the array of a call to poll that all that was asked for was seen; false if
   * something was seen already, or nothing was asked for.
   */
  public static boolean feign(MemorySegment array, int index) {
    short events = array.get(pollfd.events$layout(), index * SIZE + EVENTS);
    short seen = array.get(pollfd.revents$layout(), index * SIZE + REVENTS);
    if (seen != 0 || events == 0) {
      return false;
    }
    array.set(pollfd.revents$layout(), index * SIZE + REVENTS, events);
    return true;
  }

  /** Sets the events asked for by entry {@code index}. */
  public void events(int index, int events) {
    array.set(pollfd.events$layout(), index * SIZE + EVENTS, (short) events);
  }

  /** What the last poll saw at entry {@code index}. */
  public int revents(int index) {
    return array.get(pollfd.revents$layout(), index * SIZE + REVENTS);
  }

  @Override
  public void close() {
    array = MemorySegment.NULL; // which has no byte that could be touched
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // goes into the field, and close() closes it
  private void grow(int index) {
    int larger = Math.max(index + 1, capacity * 2);
    Arena next = Arena.ofShared();
    MemorySegment copy = LinuxKernel.unchecked(next.allocate(larger * SIZE, 8));
    copy.copyFrom(array);
    arena.close();
    arena = next;
    array = copy;
    capacity = larger;
  }
}
