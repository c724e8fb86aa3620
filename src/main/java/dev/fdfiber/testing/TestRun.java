package dev.fdfiber.testing;

import dev.fdfiber.FiberInfo;
import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import dev.fdfiber.fd.Command;
import dev.fdfiber.fd.Pty;
import dev.fdfiber.kernel.Kernel;
import java.io.IOException;
import java.io.UncheckedIOException;
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
  /** How many lines of the trace a failure shows. */
  private static final int SHOWN = 40;

  /**
   * How long cleaners and threads of the JDK have for what nobody uses any more. Only a run that
   * leaves something behind waits for them.
   */
  static final long PATIENCE_NANOS = 5_000_000_000L;

  /** How long they have in a run that is known to fail, and is run again and again to shrink it. */
  static final long LESS_PATIENCE_NANOS = 100_000_000L;

  private static final Set<Class<?>> TYPES =
      Set.of(
          Scheduler.class,
          Pipe.class,
          SocketPair.class,
          Listener.class,
          TempFifo.class,
          Pty.class,
          VirtualClock.class,
          Faults.class,
          Trace.class,
          Uncaught.class);

  private final PollerKind poller;
  private final Map<Integer, String> fdsBefore = OpenFds.now();
  private final NativeMemory memoryBefore = NativeMemory.now();
  private final boolean looksAtFailures;
  private final Uncaught uncaught = new Uncaught();
  private final Origins origins = new Origins();
  private final Trace.FdNames names = new Trace.FdNames();
  private final List<AutoCloseable> fixtures = new ArrayList<>();
  private final @Nullable VirtualClock clock;
  private final RealTime realTime = new RealTime();
  private final Trace trace;
  private final Faults faults;
  private final Lockstep lockstep = new Lockstep();
  private final Conductor conductor;
  private final boolean traced;
  private @Nullable Scheduler scheduler;
  private volatile boolean ending;

  /**
   * Begins a run of a body that takes these types.
   *
   * @param poller how the scheduler asks who is ready; {@code AUTO} is as it is by default
   * @param choices what an exploration chooses; null for first in, first out
   * @param traced if to record what happens
   */
  TestRun(Set<Class<?>> wanted, PollerKind poller, @Nullable Choices choices, boolean traced) {
    this.poller = poller;
    this.looksAtFailures = wanted.contains(Uncaught.class);
    this.clock = wanted.contains(VirtualClock.class) ? new VirtualClock() : null;
    this.trace = new Trace(clock, names);
    this.traced = traced || wanted.contains(Trace.class);
    Trace recorded = this.traced ? trace : null;
    this.faults =
        new Faults(
            clock, choices, recorded, new SpuriousWakeUps(choices, recorded, this::isWaitedFor));
    this.conductor =
        new Conductor(
            clock, realTime, choices, recorded, new World(fdsBefore), lockstep, origins, names);
  }

  static boolean gives(Class<?> type) {
    return TYPES.contains(type);
  }

  /**
   * A thing of that type: always the same scheduler, a new one of what there can be several.
   *
   * @param program what to run on the other side of a pty; nothing for none
   */
  Object give(Class<?> type, String... program) {
    if (type == Scheduler.class) {
      return scheduler();
    }
    if (type == VirtualClock.class && clock != null) {
      return clock;
    }
    if (type == Faults.class) {
      return faults;
    }
    if (type == Trace.class) {
      return trace;
    }
    if (type == Uncaught.class) {
      return uncaught;
    }
    AutoCloseable fixture = make(type);
    fixtures.add(fixture);
    if (fixture instanceof Pty pty && program.length > 0) {
      fixtures.addFirst(start(pty, program));
    }
    return fixture;
  }

  private static RunningProgram start(Pty pty, String... program) {
    try {
      return new RunningProgram(pty.spawn(Command.of(program)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private AutoCloseable make(Class<?> type) {
    if (type == Pipe.class) {
      Pipe pipe = Pipe.open();
      names.name(pipe.readFd(), "pipe.readFd");
      names.name(pipe.writeFd(), "pipe.writeFd");
      origins.peers(pipe.readFd(), pipe.writeFd());
      return pipe;
    }
    if (type == SocketPair.class) {
      SocketPair pair = SocketPair.open();
      names.name(pair.a(), "pair.a");
      names.name(pair.b(), "pair.b");
      origins.peers(pair.a(), pair.b());
      return pair;
    }
    if (type == Listener.class) {
      Listener listener = Listener.open();
      names.name(listener.fd(), "listener.fd");
      return listener;
    }
    if (type == TempFifo.class) {
      return TempFifo.make();
    }
    if (type == Pty.class) {
      try {
        Pty pty = Pty.open();
        names.name(pty.fd(), "pty.fd");
        return pty;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    throw new IllegalArgumentException("a test is given no " + type.getName());
  }

  private Scheduler scheduler() {
    if (scheduler == null) {
      List<SystemCall.Filter> filters = new ArrayList<>();
      filters.add(origins);
      if (traced) {
        filters.add(trace::around);
      }
      filters.add(lockstep);
      filters.add(faults::around);
      Scheduler.Builder builder =
          Scheduler.builder()
              .name("of the test")
              .kernel(SystemCall.filtered(Kernel.system(), filters))
              .steering(conductor)
              .onUncaught((fiber, t) -> {
                if (!ending) {
                  uncaught.add(fiber, t);
                }
              });
      if (poller != PollerKind.AUTO) {
        builder.poller(poller);
      }
      scheduler = builder.clock(clock == null ? realTime : clock).build();
      conductor.conducts(scheduler);
      scheduler.attach(conductor);
    }
    return scheduler;
  }

  private boolean isWaitedFor(int fd) {
    Scheduler running = scheduler;
    return running != null && running.fibers().stream().anyMatch(f -> f.fds().contains(fd));
  }

  /**
   * Ends the run: whatever is left is closed, and what is wrong comes back as one throwable, the
   * cause before what came of it. Descriptors and native memory are not looked at.
   *
   * @param thrown what the body threw, or null
   */
  @Nullable Throwable end(@Nullable Throwable thrown) {
    return all(wrong(thrown));
  }

  /** The same; descriptors and native memory that are left are wrong, too. */
  @Nullable Throwable end(@Nullable Throwable thrown, long patienceNanos) {
    List<Throwable> wrong = wrong(thrown);
    AssertionError leak = leak(patienceNanos);
    if (leak != null) {
      wrong.add(leak);
    }
    return all(wrong);
  }

  private List<Throwable> wrong(@Nullable Throwable thrown) {
    trace.end();
    List<Throwable> wrong = new ArrayList<>();
    AssertionError failed = looksAtFailures ? null : uncaught.asError();
    if (failed != null) {
      wrong.add(failed);
    }
    if (thrown != null) {
      wrong.add(thrown);
    }
    String alive = aliveText();
    if (!alive.isEmpty() && !(thrown instanceof DeadlockError)) {
      wrong.add(new LeakError(alive));
    }
    closeAll(wrong);
    return wrong;
  }

  private static @Nullable Throwable all(List<Throwable> wrong) {
    if (wrong.isEmpty()) {
      return null;
    }
    Throwable first = wrong.removeFirst();
    wrong.forEach(first::addSuppressed);
    return first;
  }

  /** Ends a run whose body was not reached. */
  @Override
  public void close() {
    List<Throwable> wrong = new ArrayList<>();
    closeAll(wrong);
    if (!wrong.isEmpty()) {
      throw new IllegalStateException("what a test was given does not close", wrong.getFirst());
    }
  }

  private void closeAll(List<Throwable> wrong) {
    ending = true;
    conductor.ends();
    faults.end();
    List<AutoCloseable> all = new ArrayList<>(fixtures);
    fixtures.clear();
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
    StringBuilder text = new StringBuilder(Texts.count(alive.size(), "fiber"));
    text.append(" still alive at the end of the test:");
    alive.forEach(fiber -> text.append("\n  ").append(Texts.fiber(fiber, names)));
    boolean started = alive.stream().anyMatch(f -> !Texts.isUnstarted(f));
    return text.append(
            started
                ? "\nCancel them, close what they wait for, or drive the scheduler to their end."
                : "\nNobody drove the scheduler: call scheduler.run() in the test.")
        .toString();
  }

  /**
   * What is wrong with the descriptors and the native memory that stay, or null.
   *
   * @param patienceNanos how long each may take to go away
   */
  @Nullable AssertionError leak(long patienceNanos) {
    String text =
        openText(OpenFds.leftSince(fdsBefore, patienceNanos))
            + unfreedText(memoryBefore.leftSince(patienceNanos));
    return text.isEmpty() ? null : new LeakError(text.strip());
  }

  private String openText(Map<Integer, String> leaked) {
    if (leaked.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder(Texts.count(leaked.size(), "descriptor"));
    text.append(" still open at the end of the test:");
    leaked.forEach((fd, target) -> {
      String origin = origins.of(fd);
      text.append("\n  ").append(names.numbered(fd)).append("  ").append(target);
      text.append(origin == null ? "" : ", " + origin);
    });
    return text.append('\n').toString();
  }

  private static String unfreedText(NativeMemory leaked) {
    return leaked.held() == 0
        ? ""
        : Texts.count(leaked.held(), "native allocation")
            + (" still there at the end of the test, and " + leaked.bytes())
            + " bytes more than before.\n"
            + "Close every Arena.ofConfined() and Arena.ofShared(), as try-with-resources does."
            + " What is to stay, as in Arena.global(), has to be there before the test.";
  }

  /** What the driver and its fibers do now. Any thread. */
  String dump() {
    StringBuilder text = new StringBuilder();
    Scheduler running = scheduler;
    if (running != null) {
      List<FiberInfo> fibers = running.fibers();
      text.append("fibers:").append(fibers.isEmpty() ? " none" : "");
      fibers.forEach(fiber -> text.append("\n  ").append(Texts.fiber(fiber, names)));
      text.append('\n');
    }
    if (clock != null) {
      text.append(clock);
      clock.heldBy().ifPresent(holder -> text.append(", held because ").append(holder));
      text.append('\n');
    }
    text.append(conductor.suspicion());
    return text.append(Texts.threads()).append(shownTrace()).toString();
  }

  /** The end of the trace, for people; nothing where nothing was recorded. */
  String shownTrace() {
    return trace.isEmpty()
        ? ""
        : "\nWhat happened last:\n" + trace.tail(SHOWN).indent(2).stripTrailing();
  }

  Trace trace() {
    return trace;
  }
}
