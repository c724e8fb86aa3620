package dev.fdfiber.testing;

import dev.fdfiber.Scheduler;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.ReflectionSupport;

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

  /** One execution of a test method. */
  private static final class Execution {
    final @Nullable FdTest test;
    final Set<Class<?>> wanted;
    final TestRun run;
    final TimeLimit limit;
    volatile TestRun current;

    Execution(Method method) {
      this.test = AnnotationSupport.findAnnotation(method, FdTest.class).orElse(null);
      this.wanted = new HashSet<>(List.of(method.getParameterTypes()));
      this.run = new TestRun(wanted, null, test != null);
      this.current = run;
      this.limit =
          new TimeLimit(
              test == null ? WITHOUT_LIMIT : Duration.ofSeconds(test.limitSeconds()),
              () -> current.dump());
    }

    boolean explores() {
      return test != null
          && (test.seeds() > 0 || test.seed().length > 0 || !test.schedule().isEmpty());
    }
  }

  /** Made by JUnit. */
  public FdTestExtension() {}

  @Override
  public void beforeEach(ExtensionContext context) {
    OpenFds.warmUp();
    Scheduler.create().close(); // likewise
    context.getStore(HERE).put("execution", new Execution(context.getRequiredTestMethod()));
  }

  @Override
  public void afterEach(ExtensionContext context) {
    Execution execution = execution(context);
    execution.limit.close();
    execution.run.close();
    AssertionError leak = execution.run.leak();
    if (leak != null) {
      throw leak;
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
    return give(execution(context).run, parameter.getParameter());
  }

  @Override
  public void interceptTestMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    Execution execution = execution(context);
    if (execution.explores()) {
      explore(invocation, method, execution, context);
    } else {
      runOnce(invocation, execution, context);
    }
  }

  @Override
  public void interceptTestTemplateMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    runOnce(invocation, execution(context), context);
  }

  private static void runOnce(
      Invocation<@Nullable Void> invocation, Execution execution, ExtensionContext context)
      throws Throwable {
    Throwable thrown = null;
    try {
      invocation.proceed();
    } catch (Throwable t) {
      thrown = t;
    }
    TestRun run = execution.run;
    String shown = run.shownTrace();
    Throwable failure = late(execution, run.end(thrown, false));
    if (failure != null) {
      if (!shown.isEmpty()) {
        failure.addSuppressed(new Shown(shown));
        context.publishReportEntry("trace", run.trace().toString());
      }
      throw failure;
    }
  }

  private static void explore(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> method,
      Execution execution,
      ExtensionContext context)
      throws Throwable {
    invocation.skip();
    execution.run.close(); // the runs get their own
    FdTest test = Objects.requireNonNull(execution.test);
    Explorer explorer =
        new Explorer(
            execution.wanted,
            run -> invoke(method, run),
            run -> execution.current = run,
            () -> execution.limit.message() != null);
    Throwable failure = null;
    try {
      if (!test.schedule().isEmpty()) {
        explorer.schedule(Schedule.parse(test.schedule()));
      } else if (test.seed().length > 0) {
        explorer.seeds(LongStream.of(test.seed()));
      } else {
        explorer.seeds(LongStream.rangeClosed(1, test.seeds()));
      }
    } catch (ScheduleError e) {
      context.publishReportEntry("trace", e.trace());
      failure = e;
    }
    failure = late(execution, failure);
    if (failure != null) {
      throw failure;
    }
  }

  private static void invoke(ReflectiveInvocationContext<Method> method, TestRun run) {
    Method executable = method.getExecutable();
    List<@Nullable Object> arguments = new ArrayList<>();
    for (int i = 0; i < executable.getParameterCount(); i++) {
      Parameter parameter = executable.getParameters()[i];
      boolean ours = TestRun.gives(parameter.getType());
      arguments.add(ours ? give(run, parameter) : method.getArguments().get(i));
    }
    Object target = method.getTarget().orElse(null);
    ReflectionSupport.invokeMethod(executable, target, arguments.toArray());
  }

  private static Object give(TestRun run, Parameter parameter) {
    Program program = parameter.getAnnotation(Program.class);
    return program == null
        ? run.give(parameter.getType())
        : run.give(parameter.getType(), program.value());
  }

  /** The failure, or that the time was over. */
  private static @Nullable Throwable late(Execution execution, @Nullable Throwable failure) {
    execution.limit.close();
    String message = execution.limit.message();
    if (message == null) {
      return failure;
    }
    AssertionError late = new AssertionError(message);
    if (failure != null) {
      late.addSuppressed(failure);
    }
    return late;
  }

  private static Execution execution(ExtensionContext context) {
    Execution execution = context.getStore(HERE).get("execution", Execution.class);
    return Objects.requireNonNull(execution, "beforeEach comes first");
  }

  /** What is printed below a failure; no error of its own. */
  private static final class Shown extends Throwable {
    private static final long serialVersionUID = 1;

    Shown(String text) {
      super(text, null, false, false);
    }
  }
}
