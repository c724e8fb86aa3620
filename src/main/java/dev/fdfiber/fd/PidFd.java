package dev.fdfiber.fd;

import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.PollFds;
import dev.fdfiber.kernel.SigInfo;
import dev.fdfiber.kernel.SignalNumbers;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A process as a descriptor, pidfd_open(2): it can be waited for without a thread, and a signal
 * never hits another process that got the pid meanwhile.
 */
public final class PidFd implements Closeable {
  /** How a process ended. */
  public sealed interface Exit {}

  /**
   * It ended by itself. One that the JDK started has 128 and the number of the signal here if a
   * signal ended it.
   */
  public record Exited(int status) implements Exit {}

  /**
   * A signal ended it.
   *
   * @param signal its name without {@code SIG}, such as {@code TERM}; its number if it has none
   */
  public record Killed(String signal, boolean coreDumped) implements Exit {}

  /** It ended, and only its parent is told how. */
  public record Gone() implements Exit {}

  /** Whose child it is, and so who is told how it ended. */
  private enum Parent {
    THIS_LIBRARY,
    THE_JDK,
    ELSEWHERE
  }

  private final Kernel kernel;
  private final long pid;
  private final Parent parent;
  private final @Nullable Fd fd; // null: it had ended before there could be one
  private final @Nullable Process process;
  private volatile @Nullable Exit exit;

  private PidFd(
      Kernel kernel, long pid, Parent parent, @Nullable Fd fd, @Nullable Process process) {
    this.kernel = kernel;
    this.pid = pid;
    this.parent = parent;
    this.fd = fd;
    this.process = process;
  }

  /**
   * A process that the JDK started. The JDK takes its exit status, so it is asked for that. One
   * that has ended already is fine. Does not suspend.
   *
   * @throws dev.fdfiber.ErrnoException {@code EMFILE}, {@code ENFILE}, pidfd_open(2) ERRORS
   */
  public static PidFd of(Process process) throws IOException {
    Kernel kernel = Fd.callersKernel();
    int result = kernel.pidfdOpen((int) process.pid(), 0);
    if (result == -Errno.ESRCH) {
      return new PidFd(kernel, process.pid(), Parent.THE_JDK, null, process);
    }
    Fd fd = Fd.own(kernel, result, "pidfd_open(pid " + process.pid() + ")");
    if (!process.isAlive()) {
      fd.close(); // it may be another process's by now
      return new PidFd(kernel, process.pid(), Parent.THE_JDK, null, process);
    }
    return new PidFd(kernel, process.pid(), Parent.THE_JDK, fd, process);
  }

  /**
   * Any process; how it ended is told to its parent alone.
   *
   * @throws dev.fdfiber.ErrnoException {@code ESRCH} if there is none, pidfd_open(2) ERRORS
   */
  public static PidFd of(long pid) throws IOException {
    Kernel kernel = Fd.callersKernel();
    int number = Math.clamp(pid, -1, Integer.MAX_VALUE); // which no process has
    Fd fd = Fd.own(kernel, kernel.pidfdOpen(number, 0), "pidfd_open(pid " + pid + ")");
    return new PidFd(kernel, pid, Parent.ELSEWHERE, fd, null);
  }

  /**
   * Starts a program, posix_spawnp(3), with the descriptors that the command chooses and no others.
   * The JDK knows nothing of it. It does not outlive this object: see {@link #close}. Does not
   * suspend, and holds the thread for the millisecond or so that this takes.
   *
   * @throws dev.fdfiber.ErrnoException {@code ENOENT} without such a program, {@code EACCES},
   *     execve(2) ERRORS; {@code EMFILE}, and nothing is started; {@code ENOSYS} before glibc 2.34
   */
  public static PidFd spawn(Command command) throws IOException {
    Kernel kernel = Fd.callersKernel();
    return ofChild(kernel, () -> command.start(kernel));
  }

  /** Starts a child that nobody else waits for, so that its pid stays its own. */
  interface Start {
    int pid() throws IOException;
  }

  /**
   * Starts a child. A number is held for its descriptor from before, so where none is free nothing
   * is started; and where another thread takes it in between, the child does not stay.
   */
  static PidFd ofChild(Kernel kernel, Start start) throws IOException {
    int held = Fd.check(kernel.eventfd(0, Linux.EFD_CLOEXEC), "a descriptor for the child");
    int pid;
    try {
      pid = start.pid();
    } finally {
      kernel.close(held);
    }
    try {
      Fd fd = Fd.own(kernel, kernel.pidfdOpen(pid, 0), "pidfd_open(pid " + pid + ")");
      return new PidFd(kernel, pid, Parent.THIS_LIBRARY, fd, null);
    } catch (IOException | RuntimeException e) {
      kernel.kill(pid, SignalNumbers.of("KILL"));
      waitid(kernel, SigInfo.P_PID, pid);
      throw e;
    }
  }

  /** The pid. Signals go by {@link #signal}: a number can be another's by the time it is used. */
  public long pid() {
    return pid;
  }

  /** The descriptor, which gets readable when the process has ended; -1 if it had before. */
  public int fd() {
    return fd == null ? -1 : fd.number();
  }

  /** Suspends until it has ended. Can be asked again. */
  public Exit await() throws IOException {
    return await(Deadline.NEVER).orElseThrow();
  }

  /** Like {@link #await()}, for at most a time; empty when that was up. */
  public Optional<Exit> await(Duration timeout) throws IOException {
    Exit known = exit;
    if (known != null) {
      return Optional.of(known);
    }
    if (fd != null && !fd.isReady("pidfd wait", Scheduler.READ, timeout)) {
      return Optional.empty();
    }
    Exit how = how();
    exit = how;
    return Optional.of(how);
  }

  private Exit how() throws IOException {
    return switch (parent) {
      case THIS_LIBRARY -> reap();
      case THE_JDK -> ofTheJdk();
      case ELSEWHERE -> new Gone();
    };
  }

  private Exit ofTheJdk() throws IOException {
    if (process == null) {
      throw new AssertionError("a process of the JDK's");
    }
    try {
      return new Exited(process.waitFor()); // its thread for this needs a moment more
    } catch (InterruptedException e) {
      throw Fd.cancelled("wait for pid " + pid, e);
    }
  }

  /** Asks how the child ended, which can be asked once. */
  private synchronized Exit reap() throws IOException {
    if (exit != null) {
      return exit;
    }
    if (fd == null) {
      throw new AssertionError("a child of ours has a descriptor");
    }
    exit = waitid(kernel, SigInfo.P_PIDFD, fd.number());
    return exit;
  }

  /** Takes how a child ended; blocks until it has. */
  private static Exit waitid(Kernel kernel, int idType, int id) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = SigInfo.allocate(arena);
      int result;
      do {
        result = kernel.waitid(idType, id, info, SigInfo.WEXITED);
      } while (result == -Errno.EINTR);
      if (result == -Errno.ECHILD) {
        return new Gone(); // somebody waits for all children of this process
      }
      Fd.check(result, "waitid(" + id + ")");
      return decode(info);
    }
  }

  private static Exit decode(MemorySegment info) {
    int status = SigInfo.status(info);
    return switch (SigInfo.code(info)) {
      case SigInfo.CLD_EXITED -> new Exited(status);
      case SigInfo.CLD_DUMPED -> new Killed(SignalNumbers.name(status), true);
      default -> new Killed(SignalNumbers.name(status), false);
    };
  }

  /**
   * Sends a signal, pidfd_send_signal(2). Does not suspend.
   *
   * @param name such as {@code TERM} or {@code SIGTERM}
   * @return false if the process has ended: {@code ESRCH}
   * @throws dev.fdfiber.ErrnoException {@code EPERM} if it is somebody else's
   * @throws IllegalArgumentException if there is no such signal
   */
  public boolean signal(String name) throws IOException {
    int number = SignalNumbers.of(name);
    if (fd == null) {
      return false;
    }
    fd.requireOpen();
    int result = kernel.pidfdSendSignal(fd.number(), number);
    if (result == -Errno.ESRCH) {
      return false;
    }
    fd.now("pidfd_send_signal", result);
    return true;
  }

  /** Sends SIGKILL. False if the process has ended. */
  public boolean kill() throws IOException {
    return signal("KILL");
  }

  /**
   * Closes the descriptor. A program that {@link #spawn} started and that still runs is killed, and
   * this blocks until the kernel has ended it, so that no child is left behind.
   */
  @Override
  public void close() throws IOException {
    if (fd == null || !fd.isOpen()) {
      return;
    }
    try (fd) {
      if (parent == Parent.THIS_LIBRARY && exit == null) {
        kill();
        awaitBlocking(fd.number());
        reap();
      }
    } catch (ClosedChannelException e) {
      // another thread was faster
    }
  }

  private void awaitBlocking(int pidFd) {
    try (PollFds one = new PollFds(1)) {
      one.set(0, pidFd, Linux.POLLIN);
      while (kernel.ppoll(one.array(), 1, -1) == -Errno.EINTR) {}
    }
  }

  @Override
  public String toString() {
    return "pidfd of " + pid + (fd == null ? ", ended" : ", " + fd);
  }
}
