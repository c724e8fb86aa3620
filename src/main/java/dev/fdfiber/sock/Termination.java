package dev.fdfiber.sock;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * SIGTERM and SIGINT as a flag. A shutdown hook would come when the JVM is ending already; {@code
 * sun.misc.Signal} keeps it running, and is the only thing in the JDK that does. It is reached by
 * name, since javac warns of it and cannot be told not to.
 */
final class Termination {
  private static final AtomicBoolean INSTALLED = new AtomicBoolean();
  private static final AtomicBoolean REQUESTED = new AtomicBoolean();

  private Termination() {}

  static boolean isRequested() {
    return REQUESTED.get();
  }

  static void install() {
    if (INSTALLED.compareAndSet(false, true)) {
      try {
        for (String signal : List.of("TERM", "INT")) {
          handle(signal);
        }
      } catch (ReflectiveOperationException | RuntimeException e) {
        INSTALLED.set(false);
        Throwable cause = e instanceof InvocationTargetException ? e.getCause() : e;
        throw new IllegalStateException("no handler for SIGTERM and SIGINT: " + cause, e);
      }
    }
  }

  @SuppressWarnings("ReferenceEquality") // a proxy is equal to itself alone
  private static void handle(String name) throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    InvocationHandler setsFlag =
        (proxy, method, arguments) ->
            switch (method.getName()) {
              case "handle" -> {
                REQUESTED.set(true);
                yield null;
              }
              case "hashCode" -> System.identityHashCode(proxy);
              case "equals" -> proxy == arguments[0];
              default -> "sets the flag of Sock.shutdownRequested";
            };
    Object flag =
        Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, setsFlag);
    signal
        .getMethod("handle", signal, handler)
        .invoke(null, signal.getConstructor(String.class).newInstance(name), flag);
  }
}
