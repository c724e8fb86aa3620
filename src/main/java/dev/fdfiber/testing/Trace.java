package dev.fdfiber.testing;

import dev.fdfiber.Fiber;
import dev.fdfiber.FiberInfo;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What happened in a test, a line for each event: fibers spawned, resumed and parked, with the
 * reason; the system calls that fibers made, with their results; jumps of the clock. Two runs that
 * did the same have the same text, so it can be compared: descriptors have names, and times are
 * those of a {@link VirtualClock}, or none. An {@link FdTest} that fails shows the end of it and
 * reports all of it; one that takes it as a parameter can look at it.
 */
public final class Trace {
  private static final int MOST = 10_000;

  private final @Nullable VirtualClock clock;
  private final FdNames names;
  private final Deque<String> lines = new ArrayDeque<>();
  private long dropped;
  private boolean ended;

  Trace(@Nullable VirtualClock clock, FdNames names) {
    this.clock = clock;
    this.names = names;
  }

  /** The lines so far; when there are more than ten thousand, the last of them. */
  public synchronized List<String> lines() {
    return List.copyOf(lines);
  }

  /** The lines so far, and what the descriptors' names stand for. */
  @Override
  public synchronized String toString() {
    return tail(MOST);
  }

  /** The last lines. */
  synchronized String tail(int most) {
    long skipped = dropped + Math.max(0, lines.size() - most);
    StringBuilder text = new StringBuilder();
    if (skipped > 0) {
      text.append("(").append(skipped).append(" lines before this)\n");
    }
    lines.stream().skip(Math.max(0, lines.size() - most)).forEach(l -> text.append(l).append('\n'));
    return text.append(names.legend()).toString();
  }

  synchronized boolean isEmpty() {
    return lines.isEmpty();
  }

  /** The test is over: what comes is how it is cleared away. */
  synchronized void end() {
    ended = true;
  }

  private synchronized void add(String who, String what) {
    if (ended) {
      return;
    }
    if (lines.size() == MOST) {
      lines.removeFirst();
      dropped++;
    }
    String time = clock == null ? "" : seconds(clock.elapsed().toNanos()) + " ";
    lines.add(time + who + " " + what);
  }

  void spawned(Fiber fiber) {
    add(fiber.name(), "is spawned");
  }

  void resumes(Fiber fiber) {
    add(fiber.name(), "runs");
  }

  void left(FiberInfo fiber) {
    boolean timed = fiber.nanosLeft().isPresent() && clock != null;
    String time = timed ? ", " + seconds(fiber.nanosLeft().getAsLong()) + " s at most" : "";
    add(
        fiber.name(),
        switch (fiber.state()) {
          case READY, RUNNING -> "yields";
          case PAUSED -> "pauses" + time;
          case WAITING_IO -> "waits for " + names.of(fiber.fds()) + mode(fiber.mode()) + time;
          case BLOCKED -> "blocks" + time;
          case DONE -> "ends";
        });
  }

  private static String mode(int mode) {
    return mode == 0 ? "" : " to be " + Texts.mode(mode);
  }

  /** The clock moved. */
  void jumped(long nanos) {
    add("clock", "jumps by " + seconds(nanos) + " s");
  }

  private static String seconds(long nanos) {
    return String.format(Locale.ROOT, "%.6f", nanos / 1e9);
  }

  /** What a descriptor is called here. */
  String name(int fd) {
    return names.of(fd);
  }

  /** A choice that was not the first one. */
  void deviated(String what) {
    add("*", what);
  }

  long around(SystemCall call) {
    long result = call.proceed();
    if (Scheduler.inFiber()) {
      add(Fiber.current().name(), text(call) + " = " + result(call, result));
    }
    return result;
  }

  private String result(SystemCall call, long result) {
    if (result < 0) {
      return Errno.name((int) -result);
    }
    return Origins.makesFd(call) ? names.of((int) result) : Long.toString(result);
  }

  private String text(SystemCall call) {
    StringJoiner arguments = new StringJoiner(", ", call.name() + "(", ")");
    for (int i = 0; i < call.arguments(); i++) {
      Object argument = call.argument(i);
      if (i == 0 && call.fd() >= 0) {
        arguments.add(names.of(call.fd()));
      } else if (!(argument instanceof MemorySegment)) {
        arguments.add(argument.toString());
      }
    }
    return arguments.toString();
  }

  /** Names for descriptors that do not depend on their numbers. */
  static final class FdNames {
    private final Map<Integer, String> names = new TreeMap<>();
    private final Map<String, Integer> used = new TreeMap<>();

    /** Names a descriptor; a second one of that name gets a number. */
    synchronized void name(int fd, String name) {
      int n = used.merge(name, 1, Integer::sum);
      names.put(fd, n == 1 ? name : name + "-" + n);
    }

    synchronized String of(int fd) {
      return names.computeIfAbsent(fd, f -> "fd-" + used.merge("fd", 1, Integer::sum));
    }

    synchronized String of(List<Integer> fds) {
      return String.join(", ", fds.stream().map(this::of).toList());
    }

    /** The name that a descriptor was given, with its number. */
    synchronized String numbered(int fd) {
      String name = names.get(fd);
      return name == null || name.startsWith("fd-") ? "fd " + fd : name + " (fd " + fd + ")";
    }

    synchronized String legend() {
      StringJoiner legend = new StringJoiner(", ", "where ", "");
      names.forEach((fd, name) -> legend.add(name + " is fd " + fd));
      return names.isEmpty() ? "" : legend.toString();
    }
  }
}
