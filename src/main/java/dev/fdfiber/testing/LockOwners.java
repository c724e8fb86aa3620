package dev.fdfiber.testing;

import java.lang.reflect.Method;
import java.util.concurrent.locks.AbstractOwnableSynchronizer;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Who holds the locks of {@code java.util.concurrent}. The JDK keeps that to itself, so it is known
 * only where the JVM was started with {@code
 * --add-opens=java.base/java.util.concurrent.locks=ALL-UNNAMED}, or {@code =dev.fdfiber} on the
 * module path.
 */
final class LockOwners {
  private static final @Nullable Method OWNER = opened();

  private LockOwners() {}

  /** Who holds the lock that a thread waits for; null if it waits for none, or nobody knows. */
  static @Nullable Thread of(Thread waiting) {
    if (OWNER != null && LockSupport.getBlocker(waiting) instanceof AbstractOwnableSynchronizer l) {
      try {
        return (Thread) OWNER.invoke(l);
      } catch (ReflectiveOperationException e) {
        return null;
      }
    }
    return null;
  }

  private static @Nullable Method opened() {
    try {
      Method owner = AbstractOwnableSynchronizer.class.getDeclaredMethod("getExclusiveOwnerThread");
      return owner.trySetAccessible() ? owner : null;
    } catch (NoSuchMethodException e) {
      return null;
    }
  }
}
