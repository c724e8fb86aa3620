package dev.fdfiber;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.NonBlocking;
import dev.fdfiber.kernel.SocketOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** How the bytes of a descriptor are read and written without blocking. */
sealed interface FdAccess {
  /** Reads; minus EAGAIN where that would block. */
  long read(Kernel kernel, MemorySegment buffer, long count);

  /** Writes, and maybe less; minus EAGAIN where that would block. */
  long write(Kernel kernel, MemorySegment buffer, long count);

  /** If it is a terminal, whose end shows as EIO. */
  boolean isTerminal();

  /** If a read that takes less than it has room for has taken all there is. */
  boolean shortMeansEmpty();

  /** Closes what was opened for this access alone. */
  void close(Kernel kernel);

  /** The description is non-blocking: read(2) and write(2) as they are. */
  record Direct(int fd, boolean isTerminal, boolean isPrivate, boolean shortMeansEmpty)
      implements FdAccess {
    @Override
    public long read(Kernel kernel, MemorySegment buffer, long count) {
      return kernel.read(fd, buffer, count);
    }

    @Override
    public long write(Kernel kernel, MemorySegment buffer, long count) {
      return kernel.write(fd, buffer, count);
    }

    @Override
    public void close(Kernel kernel) {
      if (isPrivate) {
        kernel.close(fd);
      }
    }
  }

  /** A socket, or a description whose flags are not ours and which cannot be opened again. */
  record Careful(int fd, boolean isTerminal, boolean shortMeansEmpty) implements FdAccess {
    @Override
    public long read(Kernel kernel, MemorySegment buffer, long count) {
      return NonBlocking.read(kernel, fd, buffer, count);
    }

    @Override
    public long write(Kernel kernel, MemorySegment buffer, long count) {
      return NonBlocking.write(kernel, fd, buffer, count);
    }

    @Override
    public void close(Kernel kernel) {}
  }

  /** Sets O_NONBLOCK. */
  static FdAccess owned(Kernel kernel, int fd) {
    int flags = flags(kernel, fd);
    if ((flags & Linux.O_NONBLOCK) == 0) {
      int result = kernel.fcntl(fd, Linux.F_SETFL, flags | Linux.O_NONBLOCK);
      if (result < 0) {
        throw unusable(new ErrnoException("fcntl F_SETFL", fd, -result));
      }
    }
    Kind kind = Kind.of(kernel, fd);
    // send(2) can be told to raise no SIGPIPE
    return kind.isSocket
        ? new Careful(fd, false, isTcp(kernel, fd))
        : new Direct(fd, kind.isCharacter, false, kind.isPipe());
  }

  /** Leaves every flag alone. */
  static FdAccess borrowed(Kernel kernel, int fd) {
    int flags = flags(kernel, fd);
    Kind kind = Kind.of(kernel, fd);
    if (kind.isSocket) {
      return new Careful(fd, false, false);
    }
    if ((flags & Linux.O_NONBLOCK) != 0) {
      return new Direct(fd, kind.isCharacter, false, kind.isPipe());
    }
    int again = kind.opensAgain ? openAgain(kernel, fd, flags & Linux.O_ACCMODE) : -1;
    return again >= 0
        ? new Direct(again, kind.isCharacter, true, kind.isPipe())
        : new Careful(fd, kind.isCharacter, kind.isPipe());
  }

  private static int openAgain(Kernel kernel, int fd, int accessMode) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom("/proc/self/fd/" + fd);
      int flags = accessMode | Linux.O_NONBLOCK | Linux.O_CLOEXEC | Linux.O_NOCTTY;
      return kernel.open(path, flags, 0);
    }
  }

  private static int flags(Kernel kernel, int fd) {
    int flags = kernel.fcntl(fd, Linux.F_GETFL, 0);
    if (flags < 0) {
      throw unusable(new ErrnoException("fcntl F_GETFL", fd, -flags));
    }
    return flags;
  }

  private static IllegalArgumentException unusable(ErrnoException e) {
    return new IllegalArgumentException("no channel on this descriptor: " + e.getMessage(), e);
  }

  /** A stream without the boundaries that credentials and descriptors make in unix(7). */
  private static boolean isTcp(Kernel kernel, int fd) {
    int domain = SocketOptions.get(kernel, fd, Linux.SO_DOMAIN);
    return (domain == Linux.AF_INET || domain == Linux.AF_INET6)
        && SocketOptions.get(kernel, fd, Linux.SO_TYPE) == Linux.SOCK_STREAM;
  }

  /** What fstat(2) says that a descriptor is. */
  record Kind(boolean isSocket, boolean isCharacter, boolean opensAgain) {
    boolean isPipe() {
      return opensAgain && !isCharacter;
    }

    static Kind of(Kernel kernel, int fd) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment stat = arena.allocate(Linux.statLayout());
        int result = kernel.fstat(fd, stat);
        if (result < 0) {
          boolean socket = SocketOptions.get(kernel, fd, Linux.SO_TYPE) != -Errno.ENOTSOCK;
          return new Kind(socket, false, false);
        }
        int type = Linux.mode(stat) & Linux.S_IFMT;
        boolean character = type == Linux.S_IFCHR;
        boolean again =
            type == Linux.S_IFIFO
                || (character && isTerminal(Linux.deviceMajor(stat), Linux.deviceMinor(stat)));
        return new Kind(type == Linux.S_IFSOCK, character, again);
      }
    }

    /**
     * Terminals, serial lines and the slaves of ptys. Opening other devices again can make a new
     * one: the pty master, 5:2, or a tun device.
     */
    private static boolean isTerminal(int major, int minor) {
      return switch (major) {
        case 4, 136, 137, 138, 139, 140, 141, 142, 143, 166, 188 -> true;
        case 5 -> minor < 2;
        default -> false;
      };
    }
  }
}
