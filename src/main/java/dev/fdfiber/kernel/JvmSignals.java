package dev.fdfiber.kernel;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Signals as the JVM lets a program have them. signalfd(2) is no way: the signal would have to be
 * blocked in every thread, and a library comes when the JVM has its threads already. {@code
 * sun.misc.Signal} is the one thing in the JDK that handles a signal and does nothing else; it is
 * reached by name, since javac warns of it and cannot be told not to.
 *
 * <p>Several actions may wait for one signal. What was there before them, such as the JVM's own way
 * to end at SIGTERM, is in force again when the last of them is removed.
 */
public final class JvmSignals {
  private static final Map<String, Handler> HANDLERS = new HashMap<>();

  private JvmSignals() {}

  /**
   * Runs an action, on a thread of the JVM's, for each signal of a name.
   *
   * @param name such as {@code TERM}
   * @throws IllegalStateException that names the signal and says why it cannot be had
   */
  public static void add(String name, Runnable action) {
    synchronized (HANDLERS) {
      Handler handler = HANDLERS.get(name);
      if (handler == null) {
        handler = new Handler(name);
        handler.install();
        HANDLERS.put(name, handler);
      }
      handler.actions = plus(handler.actions, action);
    }
  }

  /** Removes an action again, once; false if it was not there. */
  public static boolean remove(String name, Runnable action) {
    synchronized (HANDLERS) {
      Handler handler = HANDLERS.get(name);
      if (handler == null) {
        return false;
      }
      List<Runnable> left = new ArrayList<>(handler.actions);
      boolean removed = left.remove(action);
      handler.actions = List.copyOf(left);
      if (left.isEmpty()) {
        HANDLERS.remove(name);
        handler.restore();
      }
      return removed;
    }
  }

  private static List<Runnable> plus(List<Runnable> actions, Runnable action) {
    List<Runnable> more = new ArrayList<>(actions);
    more.add(action);
    return List.copyOf(more);
  }

  /** The handler of one signal. */
  private static final class Handler {
    private final String name;
    private volatile List<Runnable> actions = List.of();
    private @Nullable Object previous;

    Handler(String name) {
      this.name = name;
    }

    void install() {
      try {
        previous = handle(proxy());
      } catch (ReflectiveOperationException | RuntimeException e) {
        Throwable cause = e instanceof InvocationTargetException i ? i.getCause() : e;
        String why = cause == null ? e.toString() : String.valueOf(cause.getMessage());
        throw new IllegalStateException("no handler for SIG" + name + ": " + why, e);
      }
    }

    void restore() {
      try {
        handle(previous);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("the handler of SIG" + name + " stays", e);
      }
    }

    private @Nullable Object handle(@Nullable Object handler) throws ReflectiveOperationException {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Method handle = signal.getMethod("handle", signal, type());
      return handle.invoke(null, signal.getConstructor(String.class).newInstance(name), handler);
    }

    private static Class<?> type() throws ClassNotFoundException {
      return Class.forName("sun.misc.SignalHandler");
    }

    @SuppressWarnings("ReferenceEquality") // a proxy is equal to itself alone
    private Object proxy() throws ClassNotFoundException {
      InvocationHandler runsActions =
          (proxy, method, arguments) ->
              switch (method.getName()) {
                case "handle" -> {
                  actions.forEach(Runnable::run);
                  yield null;
                }
                case "hashCode" -> System.identityHashCode(proxy);
                case "equals" -> proxy == arguments[0];
                default -> "fdfiber's handler of SIG" + name;
              };
      return Proxy.newProxyInstance(type().getClassLoader(), new Class<?>[] {type()}, runsActions);
    }
  }
}
