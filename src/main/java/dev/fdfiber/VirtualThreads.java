package dev.fdfiber;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The seam to the JDK: a virtual thread on an executor of our own, the executor of a virtual
 * thread, and the thread behind a continuation. The one class that looks into {@code java.lang},
 * which needs that package opened; when the JDK gets a public API for custom schedulers, only this
 * changes.
 *
 * <p>The same members exist in JDK 22 to 26: {@code ThreadBuilders.newVirtualThread}, the field
 * {@code VirtualThread.scheduler}, and the continuation, a lambda that captures its thread. Without
 * the field {@code Thread.nioBlocker} all works, and suspending costs more.
 */
final class VirtualThreads {
  // Constants, so that the JIT compiler sees through them; null when the package is not open.
  private static final @Nullable MethodHandle MAKE = SetupHelp.isOpen() ? findMake() : null;
  private static final @Nullable MethodHandle EXECUTOR = SetupHelp.isOpen() ? findExecutor() : null;

  private static final @Nullable Class<?> VIRTUAL_THREAD =
      EXECUTOR == null ? null : virtualThreadClass();

  private static final @Nullable MethodHandle BLOCKER =
      SetupHelp.isOpen() ? findBlocker() : null; // null too where the JDK has no such field

  private static volatile @Nullable Field capturedThread; // of the class of all continuations

  private VirtualThreads() {}

  /**
   * Returns if fibers can be made.
   *
   * @throws IllegalStateException that shows what to add, if the package is not open
   * @throws UnsupportedOperationException if this JVM has no continuations
   */
  static void requireUsable() {
    if (MAKE == null) {
      throw new IllegalStateException(SetupHelp.missingFlag());
    }
    try {
      make(Runnable::run, null, () -> {});
    } catch (UnsupportedOperationException e) {
      throw new UnsupportedOperationException(
          "this JVM has no continuations, which fibers need: they exist for few processors,"
              + " and -XX:-VMContinuations turns them off",
          e);
    }
    PollerWarmUp.once();
  }

  /** Makes a virtual thread, not yet started, whose continuation goes to {@code executor}. */
  static Thread make(Executor executor, @Nullable String name, Runnable task) {
    if (MAKE == null) {
      throw new IllegalStateException(SetupHelp.missingFlag());
    }
    try {
      return (Thread) MAKE.invokeExact(executor, name, 0, task);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** The executor that carries a virtual thread; null where there can be no fibers. */
  static @Nullable Executor executorOf(Thread virtual) {
    if (EXECUTOR == null || virtual.getClass() != VIRTUAL_THREAD) {
      return null; // where the JVM has no continuations, virtual threads are of another class
    }
    try {
      return (Executor) EXECUTOR.invokeExact(virtual);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** What is told when a thread is interrupted, or null, also where this JDK hides it. */
  static @Nullable Object blockerOf(Thread thread) {
    if (BLOCKER == null) {
      return null;
    }
    try {
      return (Object) BLOCKER.invokeExact(thread);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** The thread that a continuation runs, or null where this JDK hides it. */
  static @Nullable Thread threadOf(Runnable continuation) {
    try {
      Field field = capturedThread;
      if (field == null || field.getDeclaringClass() != continuation.getClass()) {
        field = continuation.getClass().getDeclaredFields()[0];
        field.setAccessible(true);
        capturedThread = field;
      }
      return field.get(continuation) instanceof Thread thread ? thread : null;
    } catch (ReflectiveOperationException | RuntimeException e) {
      return null;
    }
  }

  private static MethodHandle findMake() {
    try {
      Class<?> builders = Class.forName("java.lang.ThreadBuilders");
      Method make =
          builders.getDeclaredMethod(
              "newVirtualThread", Executor.class, String.class, int.class, Runnable.class);
      make.setAccessible(true);
      return MethodHandles.lookup().unreflect(make);
    } catch (ReflectiveOperationException e) {
      throw unknownJdk(e);
    }
  }

  private static MethodHandle findExecutor() {
    try {
      Field scheduler = virtualThreadClass().getDeclaredField("scheduler");
      scheduler.setAccessible(true);
      return MethodHandles.lookup()
          .unreflectGetter(scheduler)
          .asType(MethodType.methodType(Executor.class, Thread.class));
    } catch (ReflectiveOperationException e) {
      throw unknownJdk(e);
    }
  }

  private static @Nullable MethodHandle findBlocker() {
    try {
      Field blocker = Thread.class.getDeclaredField("nioBlocker");
      blocker.setAccessible(true);
      return MethodHandles.lookup()
          .unreflectGetter(blocker)
          .asType(MethodType.methodType(Object.class, Thread.class));
    } catch (ReflectiveOperationException | RuntimeException e) {
      return null;
    }
  }

  private static Class<?> virtualThreadClass() {
    try {
      return Class.forName("java.lang.VirtualThread");
    } catch (ClassNotFoundException e) {
      throw unknownJdk(e);
    }
  }

  private static IllegalStateException unknownJdk(ReflectiveOperationException e) {
    return new IllegalStateException(
        "fdfiber knows no way to carry virtual threads in JDK " + Runtime.version(), e);
  }

  private static RuntimeException unexpected(Throwable t) {
    if (t instanceof Error e) {
      throw e;
    }
    return t instanceof RuntimeException e ? e : new IllegalStateException(t);
  }
}
