package dev.fdfiber.testing;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.SocketOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/** What the kernel promises of a call, by its man page, so that no injected fault breaks it. */
final class Promises {
  private static final Map<String, Set<Integer>> NEVER =
      Map.of(
          "read", Set.of(Errno.EPIPE, Errno.ENOSPC, Errno.EMFILE),
          "recv", Set.of(Errno.EPIPE, Errno.ENOSPC, Errno.EMFILE),
          "write", Set.of(Errno.EMFILE),
          "send", Set.of(Errno.EMFILE, Errno.ENOSPC),
          "accept4", Set.of(Errno.EPIPE, Errno.ENOSPC, Errno.ECONNRESET),
          "close", Set.of(Errno.EAGAIN, Errno.EPIPE, Errno.EMFILE, Errno.ECONNRESET),
          "eventfd", Set.of(Errno.EINTR, Errno.EAGAIN, Errno.EPIPE, Errno.ECONNRESET),
          "pipe2", Set.of(Errno.EINTR, Errno.EAGAIN, Errno.EPIPE, Errno.ECONNRESET),
          "socket", Set.of(Errno.EINTR, Errno.EAGAIN, Errno.EPIPE, Errno.ECONNRESET));

  static final Set<String> READS = Set.of("read", "recv", "recvmsg");
  static final Set<String> WRITES = Set.of("write", "send", "sendmsg");
  private static final Set<String> MAKES_TWO = Set.of("pipe2", "socketpair");

  private Promises() {}

  /** Throws if a call never fails so. */
  static void requireMayFail(SystemCall call, int errno) {
    boolean blocks = errno == Errno.EAGAIN && !doesNotBlock(call);
    if (blocks || NEVER.getOrDefault(call.name(), Set.of()).contains(errno)) {
      throw new IllegalStateException(
          call.name()
              + " on fd "
              + call.fd()
              + " never fails with "
              + Errno.name(errno)
              + (blocks ? ", since the descriptor blocks" : ", says its man page"));
    }
  }

  /** The errors that come at random where they may. */
  static void requireKnown(int errno) {
    if (!Set.of(
            Errno.ECONNRESET, Errno.EPIPE, Errno.ENOSPC, Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM)
        .contains(errno)) {
      throw new IllegalArgumentException(
          Errno.name(errno)
              + " does not come at random; ECONNRESET, EPIPE, ENOSPC, EMFILE, ENFILE, ENOMEM do");
    }
  }

  /** If a call may fail so at any time, with nothing that was seen before against it. */
  static boolean mayFailAtAnyTime(SystemCall call, int errno) {
    if (errno == Errno.EMFILE || errno == Errno.ENFILE || errno == Errno.ENOMEM) {
      return Origins.makesFd(call) || MAKES_TWO.contains(call.name());
    }
    boolean reads = READS.contains(call.name());
    boolean writes = WRITES.contains(call.name());
    if (!(reads || writes) || onlyAsksIfSocket(call)) {
      return false;
    }
    String target = OpenFds.target(call.fd());
    if (errno == Errno.ECONNRESET) {
      return target.startsWith("socket:") && isStreamSocket(call.fd());
    }
    if (errno == Errno.EPIPE) {
      boolean stream = target.startsWith("socket:") && isStreamSocket(call.fd());
      return writes && (target.startsWith("pipe:") || stream);
    }
    return writes && Files.isRegularFile(Path.of(target)); // ENOSPC
  }

  /** The descriptor is closed, and the connection on its way, whatever these calls return. */
  static boolean isDoneAllTheSame(SystemCall call, int errno) {
    return call.name().equals("close") || (call.name().equals("connect") && errno == Errno.EINTR);
  }

  /** Throws if a call transfers all or nothing. */
  static void requireMayBeShort(SystemCall call) {
    if (!mayBeShort(call)) {
      throw new IllegalStateException(
          call.name()
              + " of "
              + call.argument(2)
              + " bytes on fd "
              + call.fd()
              + " ("
              + OpenFds.target(call.fd())
              + ") is never cut short: it transfers all or nothing");
    }
  }

  /**
   * If a call may transfer less than it could: on a stream, unless it is a write to a pipe of at
   * most {@code PIPE_BUF} bytes, which is atomic, pipe(7).
   */
  static boolean mayBeShort(SystemCall call) {
    String target = OpenFds.target(call.fd());
    if (target.startsWith("socket:")) {
      return isStreamSocket(call.fd());
    }
    boolean writes = call.name().equals("write");
    return !target.startsWith("anon_inode:")
        && !(writes && (long) call.argument(2) <= Linux.PIPE_BUF);
  }

  private static boolean isStreamSocket(int fd) {
    return SocketOptions.get(Kernel.system(), fd, Linux.SO_TYPE) == Linux.SOCK_STREAM;
  }

  /** A socket call on no socket, which is {@code ENOTSOCK} and leads to another call. */
  static boolean onlyAsksIfSocket(SystemCall call) {
    return (call.name().equals("recv") || call.name().equals("send"))
        && !OpenFds.target(call.fd()).startsWith("socket:");
  }

  /** If a call returns {@code EAGAIN} where it would block. */
  static boolean doesNotBlock(SystemCall call) {
    if (call.fd() < 0) {
      return false;
    }
    boolean asked =
        (call.name().equals("recv") || call.name().equals("send"))
            && ((int) call.argument(3) & Linux.MSG_DONTWAIT) != 0;
    int flags = Kernel.system().fcntl(call.fd(), Linux.F_GETFL, 0);
    return asked || (flags >= 0 && (flags & Linux.O_NONBLOCK) != 0);
  }
}
