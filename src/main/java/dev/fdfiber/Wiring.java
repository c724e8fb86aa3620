package dev.fdfiber;

import dev.fdfiber.kernel.OpenDescriptors;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for whom: by a join, or for a descriptor whose other end is one of this process, too.
 * For one dump.
 */
final class Wiring {
  private final OpenDescriptors descriptors = new OpenDescriptors();
  private final Map<Integer, List<Integer>> otherEnds = new HashMap<>();
  private final Map<Integer, List<Census.Entry>> waiters = new HashMap<>(); // by descriptor
  private final Map<Task, Census.Entry> byTask = new HashMap<>();

  Wiring(Census census) {
    for (Census.Entry entry : census.entries()) {
      byTask.put(entry.task(), entry);
      for (int fd : entry.info().fds()) {
        waiters.computeIfAbsent(fd, k -> new ArrayList<>(1)).add(entry);
      }
    }
  }

  String describe(int fd) {
    return descriptors.describe(fd);
  }

  /** The other ends of a descriptor that this process has, and who waits for them, in words. */
  String describeOtherEnds(int fd) {
    List<Integer> ends = otherEnds(fd);
    if (ends.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    for (int end : ends) {
      text.append(text.isEmpty() ? "the other end is fd " : " and fd ").append(end);
      List<Census.Entry> users = waiters.getOrDefault(end, List.of());
      if (!users.isEmpty()) {
        text.append(", which ").append(users.getFirst().name()).append(" waits for");
      }
    }
    return text.toString();
  }

  private List<Integer> otherEnds(int fd) {
    return otherEnds.computeIfAbsent(fd, descriptors::otherEnds);
  }

  /** If nothing but this process can end a wait, and no timer does. */
  boolean isInside(Census.Entry entry) {
    FiberInfo info = entry.info();
    if (info.nanosLeft().isPresent()) {
      return false;
    }
    return switch (info.state()) {
      case WAITING_IO -> info.fds().stream().noneMatch(fd -> otherEnds(fd).isEmpty());
      case BLOCKED -> entry.joined() != null;
      case READY, RUNNING, PAUSED, DONE -> false;
    };
  }

  /**
   * Fibers of which each waits for the next, and the last for the first; nothing if there are none.
   */
  List<Census.Entry> circle(Collection<Census.Entry> entries) {
    Set<Census.Entry> seen = new HashSet<>();
    for (Census.Entry start : entries) {
      Set<Census.Entry> path = new LinkedHashSet<>();
      Census.@Nullable Entry entry = start;
      while (entry != null && seen.add(entry)) {
        path.add(entry);
        entry = next(entry);
      }
      if (entry != null && path.contains(entry)) {
        List<Census.Entry> circle = new ArrayList<>(path);
        return circle.subList(circle.indexOf(entry), circle.size());
      }
    }
    return List.of();
  }

  /** The one fiber that another waits for, as far as it is known; null if it is not. */
  private Census.@Nullable Entry next(Census.Entry entry) {
    Task joined = entry.joined();
    if (joined != null) {
      return byTask.get(joined);
    }
    if (!isInside(entry)) {
      return null;
    }
    List<Census.Entry> others =
        entry.info().fds().stream()
            .flatMap(fd -> otherEnds(fd).stream())
            .flatMap(end -> waiters.getOrDefault(end, List.of()).stream())
            .distinct()
            .toList();
    return others.size() == 1 ? others.getFirst() : null;
  }
}
