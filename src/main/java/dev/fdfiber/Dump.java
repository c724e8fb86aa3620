package dev.fdfiber;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A scheduler as text that tells why nothing goes on: who drives it, and of each fiber what it
 * waits in and where its own code calls that. Any thread.
 *
 * <p>The place of a wait is found in the fiber's stack: the last frame of the JDK or this library
 * before the first of anybody else's.
 */
final class Dump {
  private static final List<String> PLUMBING =
      List.of(
          "java.", "javax.", "jdk.", "sun.", "com.sun.", "dev.fdfiber.sock.", "dev.fdfiber.fd.");

  /** What of this package can be on the stack of a fiber that waits. */
  private static final Set<String> OURS =
      Stream.of(
              Blocking.class,
              BlockingWait.class,
              Driver.class,
              FdChannel.class,
              Fiber.class,
              FiberScope.class,
              Loop.class,
              Parking.class,
              ScopeChild.class,
              ScopeChildren.class,
              Scheduler.class,
              Task.class)
          .map(Class::getName)
          .collect(Collectors.toSet());

  private final StringBuilder text = new StringBuilder();
  private final Loop loop;

  private Dump(Loop loop) {
    this.loop = loop;
  }

  static String of(String title, Loop loop, Driver driver) {
    Dump dump = new Dump(loop);
    List<Task> tasks = loop.tasks();
    dump.text.append(title).append(": ").append(tasks.size()).append(" fibers, ");
    dump.drivenBy(driver);
    long now = loop.clock.nanoTime();
    for (Task task : tasks) {
      dump.fiber(task, Snapshot.info(task, now));
    }
    return dump.text.toString();
  }

  private void drivenBy(Driver driver) {
    Thread now = loop.driver;
    Thread owner = driver.owner();
    if (now != null) {
      text.append("driven by thread ").append(printable(now.getName()));
    } else if (owner != null) {
      text.append("not being driven; thread ").append(printable(owner.getName()));
      text.append(" owns it");
    } else {
      text.append("not being driven");
    }
    text.append('\n');
  }

  private void fiber(Task task, FiberInfo info) {
    text.append("  #").append(info.id()).append(' ').append(printable(info.name()));
    text.append("  ").append(info.state());
    if (info.fd().isPresent()) {
      text.append(" fd ").append(info.fd().getAsInt()).append(' ').append(mode(info.mode()));
    }
    if (info.fds().size() > 1) {
      text.append(" fds ").append(info.fds());
    }
    if (info.nanosLeft().isPresent()) {
      text.append("  %.3f s left".formatted(info.nanosLeft().getAsLong() / 1e9));
    }
    Thread thread = task.thread;
    if (thread != null) {
      place(thread.getStackTrace());
    }
    Task joined = loop.joining.get(task);
    if (joined != null) {
      text.append(", for fiber ").append(printable(joined.name()));
    }
    Offload<?> offload = loop.offloads.get(task);
    if (offload != null) {
      text.append(", in Blocking.call, ").append(offload.where());
    }
    ScopeOwner owner = loop.ownerOf(task);
    if (owner != null) {
      owner.describeTo(text);
    }
    text.append('\n');
  }

  private void place(StackTraceElement[] stack) {
    StackTraceElement call = null;
    for (StackTraceElement frame : stack) {
      if (isOfUsers(frame)) {
        if (call != null) {
          text.append("  in ").append(call.getClassName()).append('.');
          text.append(call.getMethodName());
        }
        text.append("  at ").append(frame);
        return;
      }
      call = frame;
    }
  }

  private static boolean isOfUsers(StackTraceElement frame) {
    String name = frame.getClassName();
    int nested = name.indexOf('$');
    return PLUMBING.stream().noneMatch(name::startsWith)
        && !OURS.contains(nested < 0 ? name : name.substring(0, nested));
  }

  /** The place in the code of users that a stack has come from, for people and to compare. */
  static @Nullable StackTraceElement firstOfUsers(StackTraceElement[] stack) {
    for (StackTraceElement frame : stack) {
      if (isOfUsers(frame)) {
        return frame;
      }
    }
    return null;
  }

  /** A name may come from anywhere: it stays on its line. */
  static String printable(String name) {
    return name.replaceAll("\\p{Cntrl}", "?");
  }

  private static String mode(int mode) {
    return switch (mode) {
      case Scheduler.READ -> "READ";
      case Scheduler.WRITE -> "WRITE";
      default -> "READ|WRITE";
    };
  }
}
