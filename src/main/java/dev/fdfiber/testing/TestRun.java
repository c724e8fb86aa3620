package dev.fdfiber.testing;

import dev.fdfiber.FiberInfo;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One run of a test: what its body is given, and what is looked at when the body has returned. It
 * begins on the thread that will drive, before the body, and knows nothing of JUnit.
 */
final class TestRun implements AutoCloseable {
  private static final Set<Class<?>> TYPES =
      Set.of(
          Scheduler.class,
          Pipe.class,
          SocketPair.class,
          Listener.class,
          TempFifo.class,
          Uncaught.class);

  private final boolean looksAtFailures;
  private final Uncaught uncaught = new Uncaught();
  private final Origins origins = new Origins();
  private final List<AutoCloseable> fixtures = new ArrayList<>();
  private final TimeLimit limit;
  private @Nullable Scheduler scheduler;
  private volatile boolean ending;

  /** Begins a run of a body that takes these types. */
  TestRun(Set<Class<?>> wanted, Duration limit) {
    this.looksAtFailures = wanted.contains(Uncaught.class);
    this.limit = new TimeLimit(limit, this::dump);
  }

  static boolean gives(Class<?> type) {
    return TYPES.contains(type);
  }

  /** A thing of that type: always the same scheduler, a new one of what there can be several. */
  Object give(Class<?> type) {
    if (type == Scheduler.class) {
      return scheduler();
    }
    if (type == Uncaught.class) {
      return uncaught;
    }
    AutoCloseable fixture = make(type);
    fixtures.add(fixture);
    return fixture;
  }

  private static AutoCloseable make(Class<?> type) {
    if (type == Pipe.class) {
      return Pipe.open();
    }
    if (type == SocketPair.class) {
      return SocketPair.open();
    }
    if (type == Listener.class) {
      return Listener.open();
    }
    if (type == TempFifo.class) {
      return TempFifo.make();
    }
    throw new IllegalArgumentException("a test is given no " + type.getName());
  }

  private Scheduler scheduler() {
    if (scheduler == null) {
      scheduler =
          Scheduler.builder()
              .name("of the test")
              .kernel(SystemCall.filtered(Kernel.system(), List.of(origins)))
              .onUncaught((fiber, t) -> {
                if (!ending) {
                  uncaught.add(fiber, t);
                }
              })
              .build();
    }
    return scheduler;
  }

  /**
   * Ends the run: whatever is left is closed, and what is wrong is thrown, the cause before what
   * came of it.
   *
   * @param thrown what the body threw, or null
   */
  void end(@Nullable Throwable thrown) throws Throwable {
    limit.close();
    List<Throwable> wrong = new ArrayList<>();
    String late = limit.message();
    if (late != null) {
      wrong.add(new AssertionError(late));
    }
    AssertionError failed = looksAtFailures ? null : uncaught.asError();
    if (failed != null) {
      wrong.add(failed);
    }
    if (thrown != null) {
      wrong.add(thrown);
    }
    String alive = aliveText();
    if (!alive.isEmpty()) {
      wrong.add(new LeakError(alive));
    }
    closeAll(wrong);
    if (!wrong.isEmpty()) {
      Throwable first = wrong.removeFirst();
      wrong.forEach(first::addSuppressed);
      throw first;
    }
  }

  /** Ends a run whose body was not reached. */
  @Override
  public void close() {
    limit.close();
    List<Throwable> wrong = new ArrayList<>();
    closeAll(wrong);
    if (!wrong.isEmpty()) {
      throw new IllegalStateException("what a test was given does not close", wrong.getFirst());
    }
  }

  private void closeAll(List<Throwable> wrong) {
    ending = true;
    List<AutoCloseable> all = new ArrayList<>(fixtures);
    if (scheduler != null) {
      all.addFirst(scheduler);
    }
    for (AutoCloseable each : all) {
      try {
        each.close();
      } catch (Exception | Error e) {
        wrong.add(e);
      }
    }
  }

  // ---- what people read

  /** The fibers that are alive and should not be; nothing if there are none. */
  private String aliveText() {
    List<FiberInfo> alive = scheduler == null ? List.of() : scheduler.fibers();
    if (alive.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder(count(alive.size(), "fiber"));
    text.append(" still alive at the end of the test:");
    alive.forEach(fiber -> text.append("\n  ").append(Texts.fiber(fiber)));
    boolean started = alive.stream().anyMatch(f -> !Texts.isUnstarted(f));
    return text.append(
            started
                ? "\nCancel them, close what they wait for, or drive the scheduler to their end."
                : "\nNobody drove the scheduler: call scheduler.run() in the test.")
        .toString();
  }

  /** Descriptors that are open and should not be. */
  String leakText(Map<Integer, String> leaked) {
    StringBuilder text = new StringBuilder(count(leaked.size(), "descriptor"));
    text.append(" still open at the end of the test:");
    leaked.forEach((fd, target) -> {
      String origin = origins.of(fd);
      text.append("\n  fd ").append(fd).append("  ").append(target);
      text.append(origin == null ? "" : ", " + origin);
    });
    return text.toString();
  }

  private static String count(int n, String what) {
    return n + " " + what + (n == 1 ? " is" : "s are");
  }

  private String dump() {
    StringBuilder text = new StringBuilder();
    if (scheduler != null) {
      List<FiberInfo> fibers = scheduler.fibers();
      text.append("fibers:").append(fibers.isEmpty() ? " none" : "");
      fibers.forEach(fiber -> text.append("\n  ").append(Texts.fiber(fiber)));
    }
    return text.append(Texts.threads()).toString();
  }
}
