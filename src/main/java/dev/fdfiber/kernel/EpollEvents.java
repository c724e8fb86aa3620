package dev.fdfiber.kernel;

import dev.fdfiber.libc.LibC;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A native array of {@code struct epoll_event}, epoll_event(3type), whose data is a descriptor and
 * a number. For one thread at a time; whoever makes it closes it.
 */
public final class EpollEvents implements AutoCloseable {
  /** On x86-64 the struct is packed, so that 32-bit and 64-bit programs share it; nowhere else. */
  private static final boolean PACKED = !System.getProperty("os.arch", "").equals("aarch64");

  static final long SIZE = PACKED ? 12 : 16;
  static final long DATA = PACKED ? 4 : 8;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  // epoll_ctl(2)
  public static final int EPOLLIN = LibC.EPOLLIN();
  public static final int EPOLLOUT = LibC.EPOLLOUT();
  public static final int EPOLLPRI = LibC.EPOLLPRI();
  public static final int EPOLLERR = LibC.EPOLLERR();
  public static final int EPOLLHUP = LibC.EPOLLHUP();
  public static final int EPOLLRDHUP = LibC.EPOLLRDHUP();
  public static final int EPOLLET = LibC.EPOLLET();
  public static final int EPOLLONESHOT = LibC.EPOLLONESHOT();
  public static final int EPOLL_CTL_ADD = LibC.EPOLL_CTL_ADD();
  public static final int EPOLL_CTL_DEL = LibC.EPOLL_CTL_DEL();
  public static final int EPOLL_CTL_MOD = LibC.EPOLL_CTL_MOD();
  public static final int EPOLL_CLOEXEC = LibC.EPOLL_CLOEXEC();

  private final Arena arena = Arena.ofShared();
  private MemorySegment array;
  private final int capacity;

  /** Makes an array of {@code capacity} events. */
  public EpollEvents(int capacity) {
    this.capacity = capacity;
    this.array = LinuxKernel.unchecked(arena.allocate(capacity * SIZE, 8));
  }

  /** The native array, for {@link Kernel#epollPwait2} and, its first event, for epollCtl. */
  public MemorySegment array() {
    return array;
  }

  /** How many events have room. */
  public int capacity() {
    return capacity;
  }

  /** Writes the first event: what to ask for, and what to be told with it. */
  public void set(int events, int fd, int number) {
    put(array, 0, events, fd, number);
  }

  /** What was seen, of event {@code index}. */
  public int events(int index) {
    return events(array, index);
  }

  /** The descriptor that {@link #set} was given. */
  public int fd(int index) {
    return fd(array, index);
  }

  /** The number that {@link #set} was given. */
  public int number(int index) {
    return number(array, index);
  }

  // ---- the array of a call, for those that stand between a caller and the kernel

  /** Writes event {@code index}. */
  public static void put(MemorySegment array, int index, int events, int fd, int number) {
    array.set(INT, index * SIZE, events);
    array.set(INT, index * SIZE + DATA, fd);
    array.set(INT, index * SIZE + DATA + 4, number);
  }

  /** What was asked or seen, of event {@code index}. */
  public static int events(MemorySegment array, int index) {
    return array.get(INT, index * SIZE);
  }

  /** The descriptor of event {@code index}. */
  public static int fd(MemorySegment array, int index) {
    return array.get(INT, index * SIZE + DATA);
  }

  /** The number of event {@code index}. */
  public static int number(MemorySegment array, int index) {
    return array.get(INT, index * SIZE + DATA + 4);
  }

  @Override
  public void close() {
    array = MemorySegment.NULL; // which has no byte that could be touched
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
