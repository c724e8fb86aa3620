package dev.fdfiber;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The seam to the JDK: a virtual thread on an executor of our own, the executor of a virtual thread,
 * and the thread behind a continuation. The one class that looks into {@code java.lang}, which needs
 * that package opened; when the JDK gets a public API for custom schedulers, only this changes.
 *
 * <p>The same members exist in JDK 22 to 26: {@code ThreadBuilders.newVirtualThread}, the field
 * {@code VirtualThread.scheduler}, and the continuation, a lambda that captures its thread.
 */
final class VirtualThreads {
  private final MethodHandle newThread; // (Executor, String, int, Runnable)Thread
  private final MethodHandle executorOf; // (Thread)Executor
  private volatile @Nullable Field capturedThread; // in the class of all continuations

  private VirtualThreads(MethodHandle newThread, MethodHandle executorOf) {
    this.newThread = newThread;
    this.executorOf = executorOf;
  }

  /**
   * The seam, once the package is open.
   *
   * @throws IllegalStateException that shows what to add, if it is not
   */
  static VirtualThreads get() {
    if (!SetupHelp.isOpen()) {
      throw new IllegalStateException(SetupHelp.missingFlag());
    }
    return Holder.INSTANCE;
  }

  /** Makes a virtual thread, not yet started, whose continuation goes to {@code executor}. */
  Thread make(Executor executor, @Nullable String name, Runnable task) {
    try {
      return (Thread) newThread.invokeExact(executor, name, 0, task);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable t) {
      throw new IllegalStateException("no virtual thread on an executor in this JDK", t);
    }
  }

  /** The executor that carries a virtual thread. */
  Executor executorOf(Thread virtual) {
    try {
      return (Executor) executorOf.invokeExact(virtual);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable t) {
      throw new IllegalStateException("no executor of " + virtual, t);
    }
  }

  /** The thread that a continuation runs, or null where this JDK hides it. */
  @Nullable Thread threadOf(Runnable continuation) {
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

  private static VirtualThreads find() {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      Method make =
          Class.forName("java.lang.ThreadBuilders")
              .getDeclaredMethod(
                  "newVirtualThread", Executor.class, String.class, int.class, Runnable.class);
      make.setAccessible(true);
      Field scheduler = Class.forName("java.lang.VirtualThread").getDeclaredField("scheduler");
      scheduler.setAccessible(true);
      VirtualThreads found =
          new VirtualThreads(
              lookup.unreflect(make),
              lookup
                  .unreflectGetter(scheduler)
                  .asType(MethodType.methodType(Executor.class, Thread.class)));
      PollerWarmUp.run();
      return found;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(
          "fdfiber knows no way to carry virtual threads in JDK " + Runtime.version(), e);
    }
  }

  private static final class Holder {
    static final VirtualThreads INSTANCE = find();
  }

  /**
   * The JDK's socket poller starts virtual threads when it is first used, and those inherit the
   * executor of the thread that does it: in a fiber they would depend on our driver for ever. So it
   * is used first in a thread of the default executor. In a class of its own, because a thread that
   * runs a lambda of a class waits for that class to be initialized.
   */
  private static final class PollerWarmUp {
    static void run() {
      Thread platform = new Thread(PollerWarmUp::inVirtualThread, "fdfiber-warm-up");
      platform.setDaemon(true);
      platform.start();
      join(platform);
    }

    private static void inVirtualThread() {
      join(Thread.ofVirtual().start(PollerWarmUp::initialize));
    }

    private static void initialize() {
      try {
        Class.forName("sun.nio.ch.Poller");
      } catch (ClassNotFoundException e) {
        // a JDK without that poller has nothing to warm up
        assert e != null;
      }
    }

    private static void join(Thread thread) {
      boolean interrupted = false;
      while (true) {
        try {
          thread.join();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
