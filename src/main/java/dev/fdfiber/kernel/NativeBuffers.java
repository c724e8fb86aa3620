package dev.fdfiber.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Native buffers for the bytes of one system call: heap arrays are copied through them. A buffer is
 * taken, used for one call and given back before anything can suspend.
 */
public final class NativeBuffers {
  /** The size of every buffer, in bytes. */
  public static final int SIZE = 64 * 1024;

  private static final LendingPool<MemorySegment> POOL =
      new LendingPool<>(() -> Arena.ofAuto().allocate(SIZE, 16));

  private NativeBuffers() {}

  /** Takes a buffer of {@link #SIZE} bytes whose content is undefined. */
  public static MemorySegment take() {
    return POOL.take();
  }

  /** Gives a buffer back. */
  public static void give(MemorySegment buffer) {
    POOL.give(buffer);
  }
}
