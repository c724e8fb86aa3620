package dev.fdfiber.sock;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;

/**
 * SIGTERM and SIGINT as a flag, or as a call. A shutdown hook would come when the JVM is ending
 * already; {@code sun.misc.Signal} keeps it running, and is the only thing in the JDK that does. It
 * is reached by name, since javac warns of it and cannot be told not to.
 */
final class Termination {
  private static final List<String> SIGNALS = List.of("TERM", "INT");

  private static final ReentrantLock LOCK = new ReentrantLock();

  /** What handled a signal before; empty while nothing here handles it. */
  private static final Map<String, Object> BEFORE = new HashMap<>();

  /** Who wants to be called. */
  private static final List<Runnable> LISTENERS = new CopyOnWriteArrayList<>();

  private static boolean flagWanted;
  private static volatile boolean requested;

  private Termination() {}

  static boolean isRequested() {
    return requested;
  }

  /** Sets the flag at a signal, from now on and for good. */
  static void install() {
    LOCK.lock();
    try {
      handleSignals();
      flagWanted = true;
    } finally {
      LOCK.unlock();
    }
  }

  /** Calls the listener at each signal, on a thread of the JVM's, until it is removed. */
  static void add(Runnable listener) {
    LOCK.lock();
    try {
      handleSignals();
      LISTENERS.add(listener);
    } finally {
      LOCK.unlock();
    }
  }

  /** When nobody is left who wants them, the signals do again what they did before. */
  static void remove(Runnable listener) {
    LOCK.lock();
    try {
      if (LISTENERS.remove(listener) && LISTENERS.isEmpty() && !flagWanted) {
        restore();
      }
    } finally {
      LOCK.unlock();
    }
  }

  private static void received() {
    requested = true;
    LISTENERS.forEach(Runnable::run);
  }

  private static void handleSignals() {
    if (!BEFORE.isEmpty()) {
      return;
    }
    try {
      Object handler = handler();
      for (String signal : SIGNALS) {
        BEFORE.put(signal, handle(signal, handler));
      }
    } catch (ReflectiveOperationException | RuntimeException e) {
      restore();
      Throwable cause = e instanceof InvocationTargetException ? e.getCause() : e;
      throw new IllegalStateException("no handler for SIGTERM and SIGINT: " + cause, e);
    }
  }

  private static void restore() {
    try {
      for (Map.Entry<String, Object> before : BEFORE.entrySet()) {
        handle(before.getKey(), before.getValue());
      }
      BEFORE.clear();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot give SIGTERM and SIGINT back", e);
    }
  }

  @SuppressWarnings("ReferenceEquality") // a proxy is equal to itself alone
  private static Object handler() throws ReflectiveOperationException {
    Class<?> type = Class.forName("sun.misc.SignalHandler");
    InvocationHandler tells =
        (proxy, method, arguments) ->
            switch (method.getName()) {
              case "handle" -> {
                received();
                yield null;
              }
              case "hashCode" -> System.identityHashCode(proxy);
              case "equals" -> proxy == arguments[0];
              default -> "sets the flag of Sock.shutdownRequested, and stops Workers";
            };
    return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, tells);
  }

  /** Lets a handler handle a signal; returns the one before. */
  private static Object handle(String name, Object handler) throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    return signal
        .getMethod("handle", signal, Class.forName("sun.misc.SignalHandler"))
        .invoke(null, signal.getConstructor(String.class).newInstance(name), handler);
  }
}
