package dev.fdfiber.kernel;

import dev.fdfiber.libc.LibC;
import dev.fdfiber.libc.rlimit;
import dev.fdfiber.libc.stat;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;

/** The constants of the system calls in {@link Kernel}, by their man-page names. */
public final class Linux {
  // poll(2)
  public static final int POLLIN = LibC.POLLIN();
  public static final int POLLOUT = LibC.POLLOUT();
  public static final int POLLERR = LibC.POLLERR();
  public static final int POLLHUP = LibC.POLLHUP();
  public static final int POLLNVAL = LibC.POLLNVAL();
  // eventfd(2)
  public static final int EFD_CLOEXEC = LibC.EFD_CLOEXEC();
  public static final int EFD_NONBLOCK = LibC.EFD_NONBLOCK();
  // open(2), fcntl(2)
  public static final int O_RDONLY = LibC.O_RDONLY();
  public static final int O_WRONLY = LibC.O_WRONLY();
  public static final int O_RDWR = LibC.O_RDWR();
  public static final int O_ACCMODE = 3;
  public static final int O_NOCTTY = LibC.O_NOCTTY();
  public static final int O_NONBLOCK = LibC.O_NONBLOCK();
  public static final int O_CLOEXEC = LibC.O_CLOEXEC();
  public static final int F_GETFD = LibC.F_GETFD();
  public static final int F_SETFD = LibC.F_SETFD();
  public static final int F_GETFL = LibC.F_GETFL();
  public static final int F_SETFL = LibC.F_SETFL();
  public static final int F_DUPFD_CLOEXEC = LibC.F_DUPFD_CLOEXEC();
  public static final int FD_CLOEXEC = LibC.FD_CLOEXEC();
  public static final int S_IFMT = LibC.S_IFMT();
  public static final int S_IFIFO = LibC.S_IFIFO();
  public static final int S_IFCHR = LibC.S_IFCHR();
  public static final int S_IFREG = LibC.S_IFREG();
  public static final int S_IFSOCK = LibC.S_IFSOCK();

  /** Writes of at most this many bytes to a pipe are atomic, pipe(7). */
  public static final int PIPE_BUF = 4096;

  // socket(2), socket(7), tcp(7), send(2), shutdown(2)
  public static final int AF_UNIX = LibC.AF_UNIX();
  public static final int AF_INET = LibC.AF_INET();
  public static final int AF_INET6 = LibC.AF_INET6();
  public static final int SOCK_STREAM = LibC.SOCK_STREAM();
  public static final int SOCK_DGRAM = LibC.SOCK_DGRAM();
  public static final int SOCK_RAW = LibC.SOCK_RAW();
  public static final int SOCK_NONBLOCK = LibC.SOCK_NONBLOCK();
  public static final int SOCK_CLOEXEC = LibC.SOCK_CLOEXEC();
  public static final int SOL_SOCKET = LibC.SOL_SOCKET();
  public static final int SO_ERROR = LibC.SO_ERROR();
  public static final int SO_LINGER = LibC.SO_LINGER();
  public static final int SO_REUSEADDR = LibC.SO_REUSEADDR();
  public static final int SO_REUSEPORT = LibC.SO_REUSEPORT();
  public static final int SO_TYPE = LibC.SO_TYPE();
  public static final int SO_ACCEPTCONN = LibC.SO_ACCEPTCONN();
  public static final int SO_SNDBUF = LibC.SO_SNDBUF();
  public static final int SO_RCVBUF = LibC.SO_RCVBUF();

  /** A number that no other socket gets while the machine is up, 64 bits, socket(7). */
  public static final int SO_COOKIE = 57;

  /** Who is at the other end of a unix socket, unix(7). */
  public static final int SO_PEERCRED = 17;

  /** The domain of a socket, socket(7). */
  public static final int SO_DOMAIN = 39;

  public static final int IPPROTO_TCP = LibC.IPPROTO_TCP();
  public static final int IPPROTO_IPV6 = LibC.IPPROTO_IPV6();
  public static final int IPV6_V6ONLY = LibC.IPV6_V6ONLY();
  public static final int TCP_NODELAY = LibC.TCP_NODELAY();
  public static final int MSG_DONTWAIT = LibC.MSG_DONTWAIT();
  public static final int MSG_NOSIGNAL = LibC.MSG_NOSIGNAL();
  public static final int SHUT_WR = LibC.SHUT_WR();
  // getrlimit(2)
  public static final int RLIMIT_NOFILE = LibC.RLIMIT_NOFILE();

  private Linux() {}

  /** The layout of {@code struct stat}, for {@link Kernel#fstat}. */
  public static MemoryLayout statLayout() {
    return stat.layout();
  }

  /** The type and permissions in a {@code struct stat}, inode(7). */
  public static int mode(MemorySegment s) {
    return stat.st_mode(s);
  }

  /** The file system that a {@code struct stat} is of. */
  public static long device(MemorySegment s) {
    return stat.st_dev(s);
  }

  /** The number of the file in its file system, in a {@code struct stat}. */
  public static long inode(MemorySegment s) {
    return stat.st_ino(s);
  }

  /** The major number of the device that a {@code struct stat} is of, makedev(3). */
  public static int deviceMajor(MemorySegment s) {
    long device = stat.st_rdev(s);
    return (int) (((device >>> 8) & 0xfff) | ((device >>> 32) & ~0xfff));
  }

  /** The minor number of the device that a {@code struct stat} is of, makedev(3). */
  public static int deviceMinor(MemorySegment s) {
    long device = stat.st_rdev(s);
    return (int) ((device & 0xff) | ((device >>> 12) & ~0xff));
  }

  /** The layout of {@code struct rlimit}, for {@link Kernel#getrlimit}. */
  public static MemoryLayout rlimitLayout() {
    return rlimit.layout();
  }

  /** The soft limit in a {@code struct rlimit}. */
  public static long softLimit(MemorySegment limit) {
    return rlimit.rlim_cur(limit);
  }

  /** The hard limit in a {@code struct rlimit}. */
  public static long hardLimit(MemorySegment limit) {
    return rlimit.rlim_max(limit);
  }
}
