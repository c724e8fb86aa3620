package dev.fdfiber;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which frames of a stack are whose: those of users tell most, those that carry a fiber nothing.
 */
final class Frames {
  private static final int MOST = 40;

  private static final List<String> PLUMBING =
      List.of(
          "java.", "javax.", "jdk.", "sun.", "com.sun.", "dev.fdfiber.sock.", "dev.fdfiber.fd.");

  private static final List<String> CARRYING =
      List.of("java.lang.VirtualThread", "jdk.internal.vm.", "dev.fdfiber.Task");

  /** What of this package can be on the stack of a fiber that waits. */
  private static final Set<String> OURS =
      Stream.of(
              Blocking.class,
              BlockingWait.class,
              Census.class,
              Driver.class,
              Dump.class,
              Errand.class,
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

  private Frames() {}

  /** The place in the code of users that a stack has come from, for people and to compare. */
  static @Nullable StackTraceElement firstOfUsers(List<StackTraceElement> stack) {
    return stack.stream().filter(Frames::isOfUsers).findFirst().orElse(null);
  }

  /** What a user called last of the JDK or this library, and where; nothing if no user did. */
  static String place(List<StackTraceElement> stack) {
    int user = usersFirst(stack);
    if (user == stack.size()) {
      return "";
    }
    String at = "  at " + text(stack.get(user));
    if (user == 0) {
      return at;
    }
    StackTraceElement call = stack.get(user - 1);
    return "  in " + call.getClassName() + "." + call.getMethodName() + at;
  }

  /**
   * What people want to see of a stack: from the last call that a user made to the fiber's body.
   */
  static List<StackTraceElement> shown(StackTraceElement[] stack) {
    List<StackTraceElement> all = Arrays.asList(stack);
    int user = usersFirst(all);
    int from = user == all.size() ? 0 : Math.max(0, user - 1);
    return all.subList(from, all.size()).stream().filter(f -> !carries(f)).limit(MOST).toList();
  }

  /** A frame without its module and class loader. */
  static String text(StackTraceElement frame) {
    return new StackTraceElement(
            frame.getClassName(), frame.getMethodName(), frame.getFileName(), frame.getLineNumber())
        .toString();
  }

  private static int usersFirst(List<StackTraceElement> stack) {
    int i = 0;
    while (i < stack.size() && !isOfUsers(stack.get(i))) {
      i++;
    }
    return i;
  }

  private static boolean carries(StackTraceElement frame) {
    return CARRYING.stream().anyMatch(frame.getClassName()::startsWith);
  }

  private static boolean isOfUsers(StackTraceElement frame) {
    String name = frame.getClassName();
    int nested = name.indexOf('$');
    return PLUMBING.stream().noneMatch(name::startsWith)
        && !OURS.contains(nested < 0 ? name : name.substring(0, nested));
  }
}
