package dev.fdfiber.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * A C function whose arguments may be boxed: a call costs some ten nanoseconds more than one that
 * {@link LinuxKernel} writes out, and one line. A record, since the JIT compiler trusts the fields
 * of records, and so sees through to the handle.
 *
 * @param handle takes the memory for errno, then the arguments; null where libc has no such
 *     function
 */
record NativeCall(@Nullable MethodHandle handle) {
  private static final LendingPool<MemorySegment> STATES =
      new LendingPool<>(() -> Arena.ofAuto().allocate(LinuxKernel.STATE));

  /** Looks a function up and links it. */
  static NativeCall of(String name, FunctionDescriptor descriptor) {
    return of(name, descriptor, -1);
  }

  /** The same for one whose arguments are variadic from an index on. */
  static NativeCall of(String name, FunctionDescriptor descriptor, int firstVariadic) {
    MethodHandle linked = LinuxKernel.link(name, descriptor, firstVariadic);
    if (linked == null) {
      return new NativeCall(null);
    }
    int arguments = descriptor.argumentLayouts().size();
    return new NativeCall(
        linked
            .asType(linked.type().changeReturnType(long.class))
            .asSpreader(Object[].class, arguments));
  }

  /** Calls it: what it returns, or minus errno where that is negative. */
  long with(Object... arguments) {
    if (handle == null) {
      return -Errno.ENOSYS;
    }
    MemorySegment state = STATES.take();
    try {
      long result = (long) handle.invokeExact(state, arguments);
      return result >= 0 ? result : -state.get(JAVA_INT, LinuxKernel.ERRNO_OFFSET);
    } catch (Throwable t) {
      throw LinuxKernel.impossible(t);
    } finally {
      STATES.give(state);
    }
  }
}
