package dev.fdfiber.testing;

import dev.fdfiber.kernel.Kernel;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A call to the kernel of a test's scheduler, on its way through the filters that look on or answer
 * it themselves. Made by a proxy, so a call that {@link Kernel} learns passes through here too.
 */
final class SystemCall {
  /** What stands between a scheduler and its kernel. */
  @FunctionalInterface
  interface Filter {
    /** The result of the call, which is {@link #proceed} or something else. */
    long around(SystemCall call);
  }

  /** Calls whose first argument is an int but no descriptor. */
  private static final Set<String> WITHOUT_FD =
      Set.of(
          "eventfd",
          "socket",
          "socketpair",
          "getrlimit",
          "timerfdCreate",
          "inotifyInit1",
          "pidfdOpen",
          "kill",
          "waitid",
          "epollCreate1");

  private static final Object[] NONE = {};

  private final Kernel kernel;
  private final Method method;
  private final Object[] arguments;
  private final List<Filter> filters;
  private int next;

  private SystemCall(Kernel kernel, Method method, Object[] arguments, List<Filter> filters) {
    this.kernel = kernel;
    this.method = method;
    this.arguments = arguments;
    this.filters = filters;
  }

  /** A kernel whose calls go through the filters, the first one outermost. */
  static Kernel filtered(Kernel kernel, List<Filter> filters) {
    return (Kernel)
        Proxy.newProxyInstance(
            Kernel.class.getClassLoader(),
            new Class<?>[] {Kernel.class},
            new Filtered(kernel, filters));
  }

  /** The filter of a class that the calls to a kernel go through; null if there is none. */
  static <F extends Filter> @Nullable F filter(Kernel kernel, Class<F> type) {
    boolean ours =
        Proxy.isProxyClass(kernel.getClass())
            && Proxy.getInvocationHandler(kernel) instanceof Filtered;
    if (!ours) {
      return null;
    }
    Filtered filtered = (Filtered) Proxy.getInvocationHandler(kernel);
    return filtered.filters.stream()
        .filter(type::isInstance)
        .map(type::cast)
        .findFirst()
        .orElse(null);
  }

  private record Filtered(Kernel kernel, List<Filter> filters) implements InvocationHandler {
    @Override
    public Object invoke(Object proxy, Method method, Object @Nullable [] arguments)
        throws ReflectiveOperationException {
      if (method.getDeclaringClass() == Object.class) {
        return method.invoke(kernel, arguments);
      }
      Object[] given = arguments == null ? NONE : arguments;
      long result = new SystemCall(kernel, method, given, filters).proceed();
      return method.getReturnType() == int.class ? (Object) (int) result : result;
    }
  }

  /** Goes on to the next filter, and from the last one to the kernel. */
  long proceed() {
    if (next < filters.size()) {
      return filters.get(next++).around(this);
    }
    try {
      return ((Number) method.invoke(kernel, arguments)).longValue();
    } catch (InvocationTargetException e) {
      throw unchecked(e.getTargetException());
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  private static RuntimeException unchecked(Throwable t) {
    if (t instanceof Error e) {
      throw e;
    }
    return t instanceof RuntimeException e ? e : new IllegalStateException(t);
  }

  /** The method of {@link Kernel}. */
  String name() {
    return method.getName();
  }

  /** The descriptor that the call is about, or -1. */
  int fd() {
    boolean first = arguments.length > 0 && arguments[0] instanceof Integer;
    return first && !WITHOUT_FD.contains(name()) ? (int) arguments[0] : -1;
  }

  Object argument(int index) {
    return arguments[index];
  }

  int arguments() {
    return arguments.length;
  }

  /** Changes an argument for those that come after. */
  void argument(int index, Object value) {
    arguments[index] = value;
  }
}
