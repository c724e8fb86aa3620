package dev.fdfiber.testing;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Linux;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What is known of the descriptors of a test: who opened them, and who used them last. */
final class Origins implements SystemCall.Filter {
  /** Calls that return a descriptor. */
  private static final Set<String> MAKERS =
      Set.of(
          "eventfd",
          "open",
          "socket",
          "accept4",
          "timerfdCreate",
          "inotifyInit1",
          "pidfdOpen",
          "epollCreate1");

  private final Map<Integer, String> origins = new ConcurrentHashMap<>();
  private final Map<Integer, String> users = new ConcurrentHashMap<>();
  private final Map<Integer, Integer> peers = new ConcurrentHashMap<>();

  static boolean makesFd(SystemCall call) {
    return MAKERS.contains(call.name())
        || (call.name().equals("fcntl") && (int) call.argument(1) == Linux.F_DUPFD_CLOEXEC);
  }

  @Override
  public long around(SystemCall call) {
    long result = call.proceed();
    if (call.fd() >= 0 && Scheduler.inFiber()) {
      users.put(call.fd(), Fiber.current().name());
    }
    if (result >= 0) {
      noteOpened(call, (int) result);
    }
    return result;
  }

  private void noteOpened(SystemCall call, int result) {
    if (makesFd(call)) {
      opened(result);
    } else if (call.name().equals("pipe2")) {
      openedPair((MemorySegment) call.argument(0));
    } else if (call.name().equals("socketpair")) {
      openedPair((MemorySegment) call.argument(3));
    }
  }

  private void openedPair(MemorySegment fds) {
    int a = fds.getAtIndex(ValueLayout.JAVA_INT, 0);
    int b = fds.getAtIndex(ValueLayout.JAVA_INT, 1);
    opened(a);
    opened(b);
    peers(a, b);
  }

  private void opened(int fd) {
    List<StackTraceElement> stack = Stacks.caller(3);
    String by = Scheduler.inFiber() ? "fiber \"" + Fiber.current().name() + "\"" : "the test";
    origins.put(fd, "opened by " + by + Stacks.text(stack, "\n        at "));
    users.remove(fd);
    peers.remove(fd);
  }

  /** Two descriptors are each other's other end. */
  void peers(int a, int b) {
    peers.put(a, b);
    peers.put(b, a);
  }

  /** The other end of a descriptor, or -1. */
  int peer(int fd) {
    return peers.getOrDefault(fd, -1);
  }

  /** What is known of how a descriptor was opened, or null. */
  @Nullable String of(int fd) {
    return origins.get(fd);
  }

  /** The fiber that used a descriptor last, or null. */
  @Nullable String lastUser(int fd) {
    return users.get(fd);
  }
}
