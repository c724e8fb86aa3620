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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.HierarchyTraversalMode;
import org.junit.platform.commons.support.ReflectionSupport;

/** What {@link FdTest} brings, on a method or on its class. */
public final class FdTestExtension
    implements BeforeEachCallback, AfterEachCallback, ParameterResolver, InvocationInterceptor {
  private static final ExtensionContext.Namespace HERE =
      ExtensionContext.Namespace.create(FdTestExtension.class);

  /** One execution of a test method. */
  private static final class Execution {
    final FdTest test;
    final Set<Class<?>> wanted;
    final TestRun run;
    final TimeLimit limit;
    volatile TestRun current;

    Execution(ExtensionContext context) {
      Method method = context.getRequiredTestMethod();
      this.test = annotation(method, context);
      this.wanted = wanted(method, context);
      this.run = new TestRun(wanted, test.poller(), null, true);
      this.current = run;
      this.limit = new TimeLimit(Duration.ofSeconds(test.limitSeconds()), () -> current.dump());
    }

    /** What the test takes, and what is to be set up before it takes. */
    private static Set<Class<?>> wanted(Method method, ExtensionContext context) {
      Set<Class<?>> wanted = new HashSet<>(List.of(method.getParameterTypes()));
      List<Class<?>> types = new ArrayList<>(context.getEnclosingTestClasses());
      types.add(context.getRequiredTestClass());
      types.stream()
          .flatMap(type -> setUps(type).stream())
          .forEach(setUp -> wanted.addAll(List.of(setUp.getParameterTypes())));
      return wanted;
    }

    private static List<Method> setUps(Class<?> type) {
      return AnnotationSupport.findAnnotatedMethods(
          type, BeforeEach.class, HierarchyTraversalMode.TOP_DOWN);
    }

    /** The method's own, or else the nearest class's. */
    private static FdTest annotation(Method method, ExtensionContext context) {
      return AnnotationSupport.findAnnotation(method, FdTest.class)
          .or(() ->
              AnnotationSupport.findAnnotation(
                  context.getRequiredTestClass(), FdTest.class, context.getEnclosingTestClasses()))
          .orElseThrow(() -> new IllegalStateException("no @FdTest on " + method));
    }

    boolean explores() {
      return test.seeds() > 0 || test.seed().length > 0 || !test.schedule().isEmpty();
    }
  }

  /** Made by JUnit. */
  public FdTestExtension() {}

  @Override
  public void beforeEach(ExtensionContext context) {
    OpenFds.warmUp();
    Scheduler.create().close(); // likewise
    context.getStore(HERE).put("execution", new Execution(context));
  }

  @Override
  public void afterEach(ExtensionContext context) {
    Execution execution = execution(context);
    execution.limit.close();
    execution.run.close();
    AssertionError leak = execution.run.leak(TestRun.PATIENCE_NANOS);
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
    interceptTestMethod(invocation, method, context);
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
    Throwable failure = late(execution, run.end(thrown));
    if (failure != null) {
      if (!shown.isEmpty()) {
        failure.addSuppressed(new Shown(shown));
        report(run.trace().toString(), context);
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
    FdTest test = execution.test;
    Explorer explorer =
        new Explorer(
            execution.wanted,
            test.poller(),
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
      report(e.trace(), context);
      failure = e;
    }
    failure = late(execution, failure);
    if (failure != null) {
      throw failure;
    }
  }

  private static void report(String trace, ExtensionContext context) {
    if (!trace.isEmpty()) {
      context.publishReportEntry("trace", trace);
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
