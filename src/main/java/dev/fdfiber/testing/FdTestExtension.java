package dev.fdfiber.testing;

import dev.fdfiber.Scheduler;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * What {@link FdTest} brings. On a class, with {@code @ExtendWith(FdTestExtension.class)}, it gives
 * every test method the same parameters and the same checks, whatever kind of test it is; for the
 * limit on time there is JUnit's {@code @Timeout}.
 */
public final class FdTestExtension
    implements BeforeEachCallback, AfterEachCallback, ParameterResolver, InvocationInterceptor {
  private static final ExtensionContext.Namespace HERE =
      ExtensionContext.Namespace.create(FdTestExtension.class);
  private static final Duration WITHOUT_LIMIT = Duration.ofDays(1);

  /** What belongs to one test method. */
  private record Before(Map<Integer, String> fds, TestRun run) {}

  /** Made by JUnit. */
  public FdTestExtension() {}

  @Override
  public void beforeEach(ExtensionContext context) {
    context.getStore(HERE).put("before", begin(context));
  }

  @Override
  public void afterEach(ExtensionContext context) {
    Before before = before(context);
    before.run.close();
    Map<Integer, String> leaked = OpenFds.since(before.fds);
    if (!leaked.isEmpty()) {
      throw new LeakError(before.run.leakText(leaked));
    }
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getDeclaringExecutable() instanceof Method
        && context.getTestMethod().isPresent()
        && TestRun.gives(parameter.getParameter().getType());
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return before(context).run.give(parameter.getParameter().getType());
  }

  @Override
  public void interceptTestMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    run(invocation, before(context).run);
  }

  @Override
  public void interceptTestTemplateMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    run(invocation, before(context).run);
  }

  private static void run(Invocation<@Nullable Void> invocation, TestRun run) throws Throwable {
    Throwable thrown = null;
    try {
      invocation.proceed();
    } catch (Throwable t) {
      thrown = t;
    }
    run.end(thrown);
  }

  private static Before before(ExtensionContext context) {
    Before before = context.getStore(HERE).get("before", Before.class);
    return Objects.requireNonNull(before, "beforeEach comes first");
  }

  private static Before begin(ExtensionContext context) {
    OpenFds.warmUp();
    Scheduler.create().close(); // likewise
    Method method = context.getRequiredTestMethod();
    Optional<FdTest> test = AnnotationSupport.findAnnotation(method, FdTest.class);
    Duration limit = test.map(t -> Duration.ofSeconds(t.limitSeconds())).orElse(WITHOUT_LIMIT);
    Set<Class<?>> wanted = new HashSet<>(List.of(method.getParameterTypes()));
    return new Before(OpenFds.now(), new TestRun(wanted, limit));
  }
}
