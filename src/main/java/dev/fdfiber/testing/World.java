package dev.fdfiber.testing;

import dev.fdfiber.Blocking;
import dev.fdfiber.Fiber;
import dev.fdfiber.FiberInfo;
import dev.fdfiber.fd.Signals;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.OpenDescriptors;
import dev.fdfiber.kernel.SigInfo;
import dev.fdfiber.kernel.SocketTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ForkJoinWorkerThread;
import org.jspecify.annotations.Nullable;

/**
 * Whether the world of a test is closed: nobody but its fibers can make one of them go on. Then
 * time may jump, and if there is no timer either, it is a deadlock.
 *
 * <p>What a descriptor leads to decides. A pipe, a fifo, an eventfd or a socket that was opened
 * since the test began belongs to it, unless a child process runs, which may have the other end, or
 * the peer is another process or not on this machine. A timerfd, an inotify descriptor, a pidfd, a
 * netlink socket, signals and a device have the kernel or somebody else behind them, and what was
 * open before the test is not the test's.
 */
final class World {
  private static final int P_ALL = 0;

  private final Map<Integer, String> before;
  private final Set<Thread> threadsBefore;

  /** The world of a test that begins now. */
  World(Map<Integer, String> before) {
    this.before = before;
    this.threadsBefore = new HashSet<>(Arrays.asList(threads()));
  }

  /** Who outside may wake one of the fibers, in words; nothing if the world is closed. */
  Optional<String> openings(List<FiberInfo> fibers, int blockingCalls) {
    if (blockingCalls > 0) {
      return Optional.of(
          fibers.stream()
              .filter(fiber -> isIn(Blocking.class.getName(), fiber))
              .findFirst()
              .map(fiber -> name(fiber) + " waits for a helper thread")
              .orElse("a helper thread runs what a fiber waits for"));
    }
    return fibers.stream()
        .flatMap(fiber -> Optional.ofNullable(opening(fiber)).stream())
        .findFirst();
  }

  private @Nullable String opening(FiberInfo fiber) {
    if (fiber.state() == Fiber.State.BLOCKED && isIn("java.lang.ProcessImpl", fiber)) {
      return name(fiber) + " waits for a process";
    }
    SocketTable sockets = null;
    for (int fd : fiber.fds()) {
      String target = OpenFds.target(fd);
      if (target.startsWith("socket:") && sockets == null) {
        sockets = SocketTable.now();
      }
      String reason = opening(fd, target, sockets);
      if (reason != null) {
        return name(fiber) + " waits for fd " + fd + " (" + target + "), " + reason;
      }
    }
    return null;
  }

  private @Nullable String opening(int fd, String target, @Nullable SocketTable sockets) {
    if (target.isEmpty()) {
      return "which is not open";
    }
    if (target.equals(before.get(fd))) {
      return "which was open before the test";
    }
    if (target.equals("anon_inode:[eventfd]")) {
      return Signals.isSignals(fd) ? "which anybody may send a signal to" : null;
    }
    if (target.startsWith("anon_inode:")) {
      return "behind which is the kernel";
    }
    if (sockets != null && sockets.isNetlink(OpenDescriptors.inode(target))) {
      return "behind which is the kernel";
    }
    if (sockets != null && !sockets.isLocal(OpenDescriptors.inode(target))) {
      return "whose peer is on another machine";
    }
    if (sockets != null && isOfAnotherProcess(fd)) {
      return "whose peer is another process";
    }
    boolean ours = target.startsWith("pipe:") || target.startsWith("socket:") || isFifo(target);
    boolean terminal = target.startsWith("/dev/pt");
    if ((ours || terminal) && hasChild()) {
      return "and a child process runs that may have the other end";
    }
    return ours || terminal ? null : "which is no pipe and no socket";
  }

  /** If a unix socket is connected to one that another process made, SO_PEERCRED. */
  private static boolean isOfAnotherProcess(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ucred = arena.allocate(3 * Integer.BYTES, Integer.BYTES);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) ucred.byteSize());
      int result =
          Kernel.system().getsockopt(fd, Linux.SOL_SOCKET, Linux.SO_PEERCRED, ucred, length);
      int pid = ucred.get(ValueLayout.JAVA_INT, 0);
      return result >= 0 && pid != 0 && pid != ProcessHandle.current().pid();
    }
  }

  private static boolean isFifo(String target) {
    try {
      Path path = Path.of(target);
      return path.isAbsolute()
          && Files.readAttributes(path, "unix:mode").get("mode") instanceof Integer mode
          && (mode & 0170000) == 0010000;
    } catch (Exception e) {
      return target.endsWith("/fifo (deleted)");
    }
  }

  /** If this process has a child that has not been waited for, waitid(2). */
  private static boolean hasChild() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = SigInfo.allocate(arena);
      int options = SigInfo.WEXITED | SigInfo.WNOHANG | SigInfo.WNOWAIT;
      return Kernel.system().waitid(P_ALL, 0, info, options) != -Errno.ECHILD;
    }
  }

  /** If somebody outside may read what a fiber has written. */
  boolean mayBeRead() {
    return hasChild() || otherThread() != null;
  }

  /**
   * If a fiber is blocked in a socket of the JDK, which has a thread that polls, or in anything
   * while a child runs, whose end another thread of the JDK waits for.
   */
  boolean isWokenByTheJdk(FiberInfo fiber) {
    return fiber.state() == Fiber.State.BLOCKED && (isIn("sun.nio.ch.", fiber) || hasChild());
  }

  private static boolean isIn(String classes, FiberInfo fiber) {
    return fiber.thread().stream()
        .flatMap(thread -> Arrays.stream(thread.getStackTrace()))
        .anyMatch(frame -> frame.getClassName().startsWith(classes));
  }

  /** If loopback, which is not always at once, may still bring something to one of the fibers. */
  boolean isInFlight(List<FiberInfo> fibers) {
    boolean socket =
        fibers.stream()
            .flatMap(fiber -> fiber.fds().stream())
            .anyMatch(fd -> OpenFds.target(fd).startsWith("socket:"));
    return socket && SocketTable.now().isAnythingInFlight();
  }

  /**
   * A thread that began with the test, does not wait for work, and so may still wake a fiber, by a
   * call of the JDK or by using the other end of what the fiber waits for; or null.
   */
  @Nullable Thread otherThread() {
    for (Thread thread : threads()) {
      if ((isKept(thread) || !threadsBefore.contains(thread)) && mayAct(thread)) {
        return thread;
      }
    }
    return null;
  }

  /**
   * If the JDK keeps that thread for new work: it reaps children, or is of a pool, which completes
   * {@link Process#onExit} and does not count itself as active while it waits for the reaper.
   */
  private static boolean isKept(Thread thread) {
    return thread instanceof ForkJoinWorkerThread || thread.getName().startsWith("process reaper");
  }

  private static boolean mayAct(Thread thread) {
    if (thread == Thread.currentThread() || thread.getName().equals(TimeLimit.THREAD)) {
      return false;
    }
    String name = thread.getName();
    if (name.startsWith("VirtualThread-")
        || name.endsWith("-Poller")
        || name.contains("Cleaner")
        || name.equals("Attach Listener")
        || name.equals("fdfiber-watch")) { // over held drivers; it comes and goes with schedulers
      return false;
    }
    StackTraceElement[] stack = thread.getStackTrace(); // empty if it has not got to run yet
    boolean idles =
        Arrays.stream(stack)
            .anyMatch(
                f -> f.getMethodName().equals("awaitWork") || f.getMethodName().equals("getTask"));
    boolean timed =
        Arrays.stream(stack).anyMatch(f -> f.getClassName().endsWith("DelayedWorkQueue"));
    return !idles || (timed && thread.getState() == Thread.State.TIMED_WAITING);
  }

  private static Thread[] threads() {
    ThreadGroup root = Thread.currentThread().getThreadGroup();
    while (root.getParent() != null) {
      root = root.getParent();
    }
    Thread[] all = new Thread[root.activeCount() + 16];
    int n = root.enumerate(all);
    return Arrays.copyOf(all, n);
  }

  private static String name(FiberInfo fiber) {
    return "fiber \"" + fiber.name() + "\"";
  }
}
