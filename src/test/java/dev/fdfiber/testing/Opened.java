package dev.fdfiber.testing;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * Single descriptors for tests: files, devices, sockets, ptys, duplicates at a number of choice.
 */
public final class Opened {
  private static final Kernel KERNEL = Kernel.system();

  private Opened() {}

  /** A file that exists, by open(2). */
  public static int file(Path path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(path.toString());
      return Calls.check(KERNEL.open(name, flags | Linux.O_CLOEXEC, 0), "open " + path);
    }
  }

  /** A stream socket that is not connected. */
  public static int tcpSocket() {
    int type = Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK;
    return Calls.check(KERNEL.socket(Linux.AF_INET, type, 0), "socket");
  }

  /** An eventfd whose count is 0: it can be written and not read. */
  public static int eventFd() {
    return Calls.check(KERNEL.eventfd(0, Linux.EFD_CLOEXEC | Linux.EFD_NONBLOCK), "eventfd");
  }

  /** Another descriptor of the same description, the first free number from {@code least} on. */
  public static int dupFrom(int least, int fd) {
    return Calls.check(KERNEL.fcntl(fd, Linux.F_DUPFD_CLOEXEC, least), "fcntl F_DUPFD_CLOEXEC");
  }

  /** Puts another description at a number that is in use; what was there is closed. */
  public static void replace(int fd, int by) {
    Fds.close(fd);
    int got = dupFrom(fd, by);
    if (got != fd) {
      throw new AssertionError("fd " + fd + " was taken meanwhile, got " + got);
    }
  }

  /** A number that is not open; the highest possible ones are free. */
  public static int notOpen() {
    for (int fd = (int) softLimit() - 1; fd > 2; fd--) {
      if (!Fds.isOpen(fd)) {
        return fd;
      }
    }
    throw new AssertionError("every descriptor is open");
  }

  /** How many descriptors this process may have. */
  public static long softLimit() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment limit = arena.allocate(Linux.rlimitLayout());
      Calls.check(KERNEL.getrlimit(Linux.RLIMIT_NOFILE, limit), "getrlimit");
      return Linux.softLimit(limit);
    }
  }

  /** Whether a descriptor is closed when the process executes another program. */
  public static boolean isCloseOnExec(int fd) {
    return (Calls.check(KERNEL.fcntl(fd, Linux.F_GETFD, 0), "fcntl") & Linux.FD_CLOEXEC) != 0;
  }

  /** Ends the sending direction of a socket. */
  public static void endOutput(int fd) {
    Calls.check(KERNEL.shutdown(fd, Linux.SHUT_WR), "shutdown");
  }

  /** Makes close(2) of a socket break the connection off: the other side gets ECONNRESET. */
  public static void resetOnClose(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment linger = arena.allocateFrom(ValueLayout.JAVA_INT, 1, 0); // struct linger
      int size = (int) linger.byteSize();
      Calls.check(
          KERNEL.setsockopt(fd, Linux.SOL_SOCKET, Linux.SO_LINGER, linger, size), "setsockopt");
    }
  }

  /** Gives a socket the smallest buffer there is: {@code SO_SNDBUF} or {@code SO_RCVBUF}. */
  public static void smallestBuffer(int fd, int option) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocateFrom(ValueLayout.JAVA_INT, 1);
      Calls.check(
          KERNEL.setsockopt(fd, Linux.SOL_SOCKET, option, size, Integer.BYTES), "setsockopt");
    }
  }

  /** A pseudoterminal, pty(7): {@code a} is the master, {@code b} the slave; both block. */
  @SuppressWarnings("restricted") // unlockpt(3) is no call of the library's kernel
  public static Fds.Pair pty() {
    int master = file(Path.of("/dev/ptmx"), Linux.O_RDWR | Linux.O_NOCTTY);
    Linker linker = Linker.nativeLinker();
    ValueLayout.OfInt i = ValueLayout.JAVA_INT;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment unlock = linker.defaultLookup().find("unlockpt").orElseThrow();
      MemorySegment nameOf = linker.defaultLookup().find("ptsname_r").orElseThrow();
      MemorySegment name = arena.allocate(64);
      int unlocked =
          (int) linker.downcallHandle(unlock, FunctionDescriptor.of(i, i)).invokeExact(master);
      FunctionDescriptor ptsname =
          FunctionDescriptor.of(i, i, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG);
      int named =
          (int) linker.downcallHandle(nameOf, ptsname).invokeExact(master, name, name.byteSize());
      Calls.check(-(unlocked | named), "unlockpt, ptsname_r");
      return new Fds.Pair(master, file(Path.of(name.getString(0)), Linux.O_RDWR | Linux.O_NOCTTY));
    } catch (Throwable t) {
      Fds.close(master);
      throw new AssertionError("no pty", t);
    }
  }
}
