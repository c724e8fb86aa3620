package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.SpawnRequest;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A wrapped kernel hands every call on, those with a default answer included. */
@FdTest
class ForwardingKernelTest {
  private record Call(Method method, List<Object> arguments) {}

  @Test
  void everyMethod_isHandedOnWithItsArgumentsAndResult() throws Exception {
    List<Call> calls = new ArrayList<>();
    Kernel next =
        (Kernel)
            Proxy.newProxyInstance(
                Kernel.class.getClassLoader(),
                new Class<?>[] {Kernel.class},
                (proxy, method, arguments) -> {
                  calls.add(new Call(method, Arrays.asList(arguments)));
                  return value(method.getReturnType(), calls.size());
                });
    Kernel kernel = new ForwardingKernel(next);
    int count = 0;
    for (Method method : Kernel.class.getMethods()) {
      if (Modifier.isStatic(method.getModifiers())) {
        continue;
      }
      Object[] arguments = new Object[method.getParameterCount()];
      for (int i = 0; i < arguments.length; i++) {
        arguments[i] = value(method.getParameterTypes()[i], 100 + i);
      }
      Object result = method.invoke(kernel, arguments);
      count++;
      assertThat(calls).as("calls after %s", method).hasSize(count);
      assertThat(calls.getLast().method().getName()).isEqualTo(method.getName());
      assertThat(calls.getLast().arguments()).containsExactly(arguments);
      assertThat(result).isEqualTo(value(method.getReturnType(), count));
    }
    assertThat(count).isGreaterThan(30);
  }

  private static Object value(Class<?> type, int number) {
    return switch (type.getSimpleName()) {
      case "int" -> number;
      case "long" -> (long) number;
      case "MemorySegment" -> MemorySegment.ofAddress(number);
      case "SpawnRequest" ->
          new SpawnRequest("program" + number, List.of(), List.of(), List.of(), false);
      default -> throw new AssertionError("a value for " + type);
    };
  }
}
