package dev.fdfiber;

import dev.fdfiber.poller.Wait;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A scheduler as text that tells why nothing goes on. The most likely culprit comes first: the
 * fiber that holds the driver, or those that wait for each other. Then the stacks, equal ones once;
 * then every fiber, below who forked it, with what it waits in and where its own code calls that.
 *
 * <p>What a descriptor is, /proc is asked by the thread that wants the text, not by the driver.
 */
final class Dump {
  private static final int NAMES = 8;
  private static final int CULPRITS = 5;
  private static final int FRAMES_OF_CULPRIT = 5;

  private final StringBuilder text = new StringBuilder();
  private final Loop loop;
  private final Census census;
  private final Wiring wiring;

  private Dump(Loop loop, Census census) {
    this.loop = loop;
    this.census = census;
    this.wiring = new Wiring(census);
  }

  /** Any thread; suspends a fiber of another scheduler. */
  static String of(String title, Loop loop, Driver driver) {
    Thread driven = loop.driver; // before it is this thread's turn
    Census census =
        Errand.run(loop, driver, () -> Census.exact(loop), Errand.PATIENCE_NANOS)
            .orElseGet(() -> Census.ofHeld(loop));
    Dump dump = new Dump(loop, census);
    dump.head(title, driven, driver.owner());
    dump.culprit(driven, driver.owner());
    dump.stacks();
    dump.tree();
    return dump.text.toString();
  }

  // ---- the head

  private void head(String title, @Nullable Thread driven, @Nullable Thread owner) {
    text.append(title).append(": ").append(census.entries().size()).append(" fibers, ");
    if (driven != null) {
      text.append("driven by thread ").append(Census.printable(driven.getName()));
    } else if (owner != null) {
      text.append("not being driven; thread ").append(Census.printable(owner.getName()));
      text.append(" owns it");
    } else {
      text.append("not being driven");
    }
    text.append('\n');
    if (census.entries().isEmpty()) {
      return;
    }
    Map<Fiber.State, Long> states =
        census.entries().stream()
            .collect(Collectors.groupingBy(e -> e.info().state(), Collectors.counting()));
    states.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(e -> text.append("  ").append(e.getValue()).append(' ').append(e.getKey()));
    text.append("; queue ").append(loop.readyCount());
    text.append(", ").append(loop.waits.describe());
    if (!loop.offloads.isEmpty()) {
      text.append(", Blocking: ").append(loop.offloads.size()).append(" calls of this; ");
      text.append(BlockingThreads.describe());
    }
    text.append('\n');
  }

  // ---- the culprit

  private void culprit(@Nullable Thread driven, @Nullable Thread owner) {
    if (!census.isExact()) {
      held(driven);
      return;
    }
    List<Census.Entry> circle = wiring.circle(census.entries());
    List<Census.Entry> entries = census.entries();
    if (!circle.isEmpty()) {
      culprits("each of these fibers waits for the next, and the last for the first", circle);
    } else if (!entries.isEmpty() && entries.stream().allMatch(wiring::isInside)) {
      culprits(
          "no fiber can go on: each waits, without a limit, for what only this process can give",
          entries);
    } else if (driven == null && loop.readyCount() > 0) {
      text.append("likely culprit: nobody drives it, and ").append(loop.readyCount());
      text.append(" fibers are ready");
      if (owner != null) {
        text.append("; thread ").append(Census.printable(owner.getName())).append(" is ");
        text.append(Frames.place(List.of(owner.getStackTrace())).strip());
      }
      text.append('\n');
    }
  }

  /** The driver did not come, so a fiber, or what calls it between two, holds it. */
  private void held(@Nullable Thread driven) {
    Census.Entry holder =
        census.entries().stream().filter(e -> !e.stack().isEmpty()).findFirst().orElse(null);
    List<StackTraceElement> stack;
    if (holder != null) {
      text.append("likely culprit: fiber ").append(holder.name()).append(" holds the driver");
      stack = holder.stack();
    } else {
      text.append("likely culprit: the driver does not come back");
      stack = driven == null ? List.of() : Frames.shown(driven.getStackTrace());
    }
    text.append(", and nobody else can run; the stacks of the others cannot be taken\n");
    frames(stack.stream().limit(FRAMES_OF_CULPRIT).toList());
  }

  private void culprits(String what, List<Census.Entry> entries) {
    text.append("likely culprit: ").append(what).append('\n');
    for (Census.Entry entry : entries.subList(0, Math.min(CULPRITS, entries.size()))) {
      text.append("  ");
      line(entry);
    }
    if (entries.size() > CULPRITS) {
      text.append("    and ").append(entries.size() - CULPRITS).append(" more\n");
    }
  }

  // ---- the stacks

  private void stacks() {
    Map<List<StackTraceElement>, List<Census.Entry>> groups = new LinkedHashMap<>();
    for (Census.Entry entry : census.entries()) {
      if (!entry.stack().isEmpty()) {
        groups.computeIfAbsent(entry.stack(), k -> new ArrayList<>(1)).add(entry);
      }
    }
    groups.entrySet().stream()
        .sorted(Comparator.comparingInt(group -> -group.getValue().size()))
        .forEach(group -> stack(group.getKey(), group.getValue()));
  }

  private void stack(List<StackTraceElement> stack, List<Census.Entry> entries) {
    text.append(count(entries.size())).append(entries.size() == 1 ? " fiber at: " : " fibers at: ");
    text.append(
        entries.stream().limit(NAMES).map(Census.Entry::name).collect(Collectors.joining(", ")));
    if (entries.size() > NAMES) {
      text.append(" and ").append(count(entries.size() - NAMES)).append(" more");
    }
    text.append('\n');
    frames(stack);
  }

  private static String count(int n) {
    return String.format(Locale.ROOT, "%,d", n);
  }

  private void frames(List<StackTraceElement> stack) {
    stack.forEach(frame -> text.append("    at ").append(Frames.text(frame)).append('\n'));
  }

  // ---- the tree

  private void tree() {
    Map<FiberScope, List<Census.Entry>> children = new LinkedHashMap<>();
    List<Census.Entry> roots = new ArrayList<>();
    for (Census.Entry entry : census.entries()) {
      if (entry.parent() == null) {
        roots.add(entry);
      } else {
        children.computeIfAbsent(entry.parent(), k -> new ArrayList<>(1)).add(entry);
      }
    }
    text.append(census.entries().isEmpty() ? "" : "fibers:\n");
    for (Census.Entry root : roots) {
      branch(root, children, 1);
    }
    for (FiberScope scope : List.copyOf(children.keySet())) { // of threads, or not seen above
      if (children.containsKey(scope)) {
        scope(scope, children, 1);
      }
    }
  }

  private void branch(Census.Entry entry, Map<FiberScope, List<Census.Entry>> children, int depth) {
    text.append("  ".repeat(depth));
    line(entry);
    ScopeOwner owner = entry.owner();
    for (FiberScope s = owner == null ? null : owner.innermost(); s != null; s = s.outer()) {
      scope(s, children, depth + 1);
    }
  }

  private void scope(FiberScope scope, Map<FiberScope, List<Census.Entry>> children, int depth) {
    text.append("  ".repeat(depth)).append(Census.printable(scope.toString()));
    text.append(depth == 1 ? " of " + Census.printable(scope.owner().name()) : "").append('\n');
    List<Census.Entry> below = children.remove(scope);
    if (below != null) {
      below.forEach(child -> branch(child, children, depth + 1));
    }
  }

  private void line(Census.Entry entry) {
    FiberInfo info = entry.info();
    text.append(entry.name()).append("  ").append(info.state());
    for (int fd : info.fds()) {
      descriptor(fd, info);
    }
    text.append("  for ").append(Times.text(info.nanosInState()));
    info.nanosLeft().ifPresent(left -> text.append(", ").append(Times.text(left)).append(" left"));
    text.append(Frames.place(entry.stack()));
    if (entry.joined() != null) {
      text.append(", for fiber ").append(Census.printable(entry.joined().name()));
    }
    if (entry.blocking() != null) {
      text.append(", in Blocking.call, ").append(entry.blocking());
    }
    if (entry.owner() != null) {
      text.append(entry.owner().describeShield());
    }
    text.append('\n');
  }

  private void descriptor(int fd, FiberInfo info) {
    text.append("  fd ").append(fd);
    text.append(info.mode() == 0 ? "" : " " + Wait.text(info.mode()));
    text.append(" (").append(Census.printable(wiring.describe(fd)));
    String others = wiring.describeOtherEnds(fd);
    text.append(others.isEmpty() ? "" : "; " + others).append(')');
  }
}
