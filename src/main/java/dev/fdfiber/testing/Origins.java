package dev.fdfiber.testing;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Linux;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Where the descriptors of a test were opened: by a fiber, at a line; or by the harness. */
final class Origins implements SystemCall.Filter {
  private final Map<Integer, String> origins = new ConcurrentHashMap<>();

  @Override
  public long around(SystemCall call) {
    long result = call.proceed();
    if (result >= 0) {
      note(call, (int) result);
    }
    return result;
  }

  private void note(SystemCall call, int result) {
    switch (call.name()) {
      case "eventfd",
          "open",
          "socket",
          "accept4",
          "timerfdCreate",
          "inotifyInit1",
          "pidfdOpen",
          "epollCreate1" ->
          opened(result);
      case "fcntl" -> {
        if ((int) call.argument(1) == Linux.F_DUPFD_CLOEXEC) {
          opened(result);
        }
      }
      case "pipe2" -> openedPair((MemorySegment) call.argument(0));
      case "socketpair" -> openedPair((MemorySegment) call.argument(3));
      default -> {}
    }
  }

  private void openedPair(MemorySegment fds) {
    opened(fds.getAtIndex(ValueLayout.JAVA_INT, 0));
    opened(fds.getAtIndex(ValueLayout.JAVA_INT, 1));
  }

  private void opened(int fd) {
    List<StackTraceElement> stack = Stacks.caller(3);
    String by = Scheduler.inFiber() ? "fiber \"" + Fiber.current().name() + "\"" : "the test";
    origins.put(fd, "opened by " + by + Stacks.text(stack, "\n        at "));
  }

  /** What is known of a descriptor, or null. */
  @Nullable String of(int fd) {
    return origins.get(fd);
  }
}
