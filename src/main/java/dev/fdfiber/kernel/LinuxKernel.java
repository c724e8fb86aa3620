package dev.fdfiber.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fdfiber.libc.LibC;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * The real kernel: the one class that links downcalls, and so the one that needs native access.
 *
 * <p>The plain wrappers that jextract generates lose errno, so each function is linked here from
 * the generated address and descriptor with {@code captureCallState("errno")}. The native word that
 * receives errno is lent for the length of a call from a small lock-free pool: a thread local would
 * cost every fiber 200 bytes, and an allocation would cost more than the call.
 */
@SuppressWarnings("restricted") // the project's only native access
final class LinuxKernel extends LinuxTypedCalls implements Kernel {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
  static final StructLayout STATE = Linker.Option.captureStateLayout();
  static final long ERRNO_OFFSET = STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

  private static final Linker.Option VARIADIC_FROM_THIRD = Linker.Option.firstVariadicArg(2);

  static final LinuxKernel INSTANCE = new LinuxKernel();

  private static final int NANOS_PER_MILLI = 1_000_000;

  private final LendingPool<Frame> frames = new LendingPool<>(Frame::new);

  /** If epoll_pwait2 is there, as far as is known. */
  private volatile boolean epollByNanos;

  private LinuxKernel() {
    this(true);
  }

  LinuxKernel(boolean epollByNanos) {
    this.epollByNanos = epollByNanos;
  }

  @Override
  public int ppoll(MemorySegment pollFds, int count, long timeoutNanos) {
    return isWholeMillis(timeoutNanos)
        ? pollByMillis(pollFds, count, millis(timeoutNanos))
        : pollByNanos(pollFds, count, timeoutNanos);
  }

  private int pollByMillis(MemorySegment pollFds, int count, int timeoutMillis) {
    Frame f = frames.take();
    try {
      return f.result((int) Waits.POLL.invokeExact(f.state, pollFds, (long) count, timeoutMillis));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  private int pollByNanos(MemorySegment pollFds, int count, long timeoutNanos) {
    Frame f = frames.take();
    try {
      MemorySegment timeout = f.timespec(timeoutNanos);
      return f.result(
          (int)
              Waits.PPOLL.invokeExact(f.state, pollFds, (long) count, timeout, MemorySegment.NULL));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int epollCreate1(int flags) {
    Frame f = frames.take();
    try {
      return f.result((int) Epoll.EPOLL_CREATE1.invokeExact(f.state, flags));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int epollCtl(int epollFd, int operation, int fd, MemorySegment event) {
    Frame f = frames.take();
    try {
      return f.result((int) Epoll.EPOLL_CTL.invokeExact(f.state, epollFd, operation, fd, event));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int epollPwait2(int epollFd, MemorySegment events, int maxEvents, long timeoutNanos) {
    if (epollByNanos && !isWholeMillis(timeoutNanos)) {
      int result = epollByNanos(epollFd, events, maxEvents, timeoutNanos);
      if (result != -Errno.ENOSYS) {
        return result;
      }
      epollByNanos = false;
    }
    return epollByMillis(epollFd, events, maxEvents, millis(timeoutNanos));
  }

  private int epollByNanos(int epollFd, MemorySegment events, int maxEvents, long timeoutNanos) {
    if (Epoll.EPOLL_PWAIT2 == null) {
      return -Errno.ENOSYS;
    }
    Frame f = frames.take();
    try {
      MemorySegment timeout = f.timespec(timeoutNanos);
      return f.result(
          (int)
              Epoll.EPOLL_PWAIT2.invokeExact(
                  f.state, epollFd, events, maxEvents, timeout, MemorySegment.NULL));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  private int epollByMillis(int epollFd, MemorySegment events, int maxEvents, int timeoutMillis) {
    Frame f = frames.take();
    try {
      return f.result(
          (int) Epoll.EPOLL_WAIT.invokeExact(f.state, epollFd, events, maxEvents, timeoutMillis));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  /**
   * If the older call says the same: it takes the time as an int, where the newer one has the
   * kernel copy a timespec in and, poll(2), what is left of it out.
   */
  private static boolean isWholeMillis(long nanos) {
    return nanos <= 0
        || (nanos % NANOS_PER_MILLI == 0 && nanos / NANOS_PER_MILLI <= Integer.MAX_VALUE);
  }

  /** Rounds up, so that no wait ends early, and stays below what an int holds. */
  static int millis(long nanos) {
    if (nanos <= 0) {
      return nanos < 0 ? -1 : 0;
    }
    return (int) Math.min((nanos - 1) / NANOS_PER_MILLI + 1, Integer.MAX_VALUE);
  }

  @Override
  public int eventfd(int initialValue, int flags) {
    Frame f = frames.take();
    try {
      return f.result((int) Waits.EVENTFD.invokeExact(f.state, initialValue, flags));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int pipe2(MemorySegment fds, int flags) {
    Frame f = frames.take();
    try {
      return f.result((int) Rare.PIPE2.invokeExact(f.state, fds, flags));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int open(MemorySegment path, int flags, int mode) {
    Frame f = frames.take();
    try {
      return f.result((int) Rare.OPEN.invokeExact(f.state, path, flags, mode));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public long read(int fd, MemorySegment buffer, long count) {
    Frame f = frames.take();
    try {
      return f.result((long) Files.READ.invokeExact(f.state, fd, buffer, count));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public long write(int fd, MemorySegment buffer, long count) {
    Frame f = frames.take();
    try {
      return f.result((long) Files.WRITE.invokeExact(f.state, fd, buffer, count));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public long sendfile(int outFd, int inFd, long count) {
    Frame f = frames.take();
    try {
      return f.result(
          (long) Rare.SENDFILE.invokeExact(f.state, outFd, inFd, MemorySegment.NULL, count));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int fcntl(int fd, int command, int argument) {
    Frame f = frames.take();
    try {
      return f.result((int) Files.FCNTL.invokeExact(f.state, fd, command, argument));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int close(int fd) {
    Frame f = frames.take();
    try {
      return f.result((int) Files.CLOSE.invokeExact(f.state, fd));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int socket(int domain, int type, int protocol) {
    Frame f = frames.take();
    try {
      return f.result((int) Sockets.SOCKET.invokeExact(f.state, domain, type, protocol));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int socketpair(int domain, int type, int protocol, MemorySegment fds) {
    Frame f = frames.take();
    try {
      return f.result((int) Rare.SOCKETPAIR.invokeExact(f.state, domain, type, protocol, fds));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int bind(int fd, MemorySegment address, int addressLength) {
    Frame f = frames.take();
    try {
      return f.result((int) Sockets.BIND.invokeExact(f.state, fd, address, addressLength));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int listen(int fd, int backlog) {
    Frame f = frames.take();
    try {
      return f.result((int) Sockets.LISTEN.invokeExact(f.state, fd, backlog));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int accept4(int fd, int flags) {
    Frame f = frames.take();
    try {
      return f.result(
          (int)
              Sockets.ACCEPT4.invokeExact(
                  f.state, fd, MemorySegment.NULL, MemorySegment.NULL, flags));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int connect(int fd, MemorySegment address, int addressLength) {
    Frame f = frames.take();
    try {
      return f.result((int) Sockets.CONNECT.invokeExact(f.state, fd, address, addressLength));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int shutdown(int fd, int how) {
    Frame f = frames.take();
    try {
      return f.result((int) Sockets.SHUTDOWN.invokeExact(f.state, fd, how));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public long send(int fd, MemorySegment buffer, long count, int flags) {
    Frame f = frames.take();
    try {
      return f.result((long) Sockets.SEND.invokeExact(f.state, fd, buffer, count, flags));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public long recv(int fd, MemorySegment buffer, long count, int flags) {
    Frame f = frames.take();
    try {
      return f.result((long) Sockets.RECV.invokeExact(f.state, fd, buffer, count, flags));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int getsockopt(int fd, int level, int option, MemorySegment value, MemorySegment length) {
    Frame f = frames.take();
    try {
      return f.result(
          (int) Sockets.GETSOCKOPT.invokeExact(f.state, fd, level, option, value, length));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int setsockopt(int fd, int level, int option, MemorySegment value, int length) {
    Frame f = frames.take();
    try {
      return f.result(
          (int) Sockets.SETSOCKOPT.invokeExact(f.state, fd, level, option, value, length));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int getsockname(int fd, MemorySegment address, MemorySegment length) {
    Frame f = frames.take();
    try {
      return f.result((int) Sockets.GETSOCKNAME.invokeExact(f.state, fd, address, length));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int fstat(int fd, MemorySegment stat) {
    if (Rare.FSTAT == null) {
      return -Errno.ENOSYS;
    }
    Frame f = frames.take();
    try {
      return f.result((int) Rare.FSTAT.invokeExact(f.state, fd, stat));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  @Override
  public int getrlimit(int resource, MemorySegment limit) {
    Frame f = frames.take();
    try {
      return f.result((int) Rare.GETRLIMIT.invokeExact(f.state, resource, limit));
    } catch (Throwable t) {
      throw impossible(t);
    } finally {
      frames.give(f);
    }
  }

  /**
   * The same memory without its owner's check, which costs a call two atomic operations where the
   * arena is shared. Whoever closes the arena drops this first.
   */
  static MemorySegment unchecked(MemorySegment owned) {
    return MemorySegment.ofAddress(owned.address()).reinterpret(owned.byteSize());
  }

  /** Before glibc 2.33 fstat was an inline function and no symbol. */
  private static @Nullable MethodHandle linkFstat() {
    return has("fstat") ? link(LibC.fstat$address(), LibC.fstat$descriptor()) : null;
  }

  private static @Nullable MethodHandle linkEpollPwait2() {
    return has("epoll_pwait2") // since glibc 2.35
        ? link(LibC.epoll_pwait2$address(), LibC.epoll_pwait2$descriptor())
        : null;
  }

  private static boolean has(String symbol) {
    return LINKER.defaultLookup().find(symbol).isPresent();
  }

  // The handles, in groups that are linked at their first use: linking takes milliseconds each.

  private static final class Waits {
    static final MethodHandle POLL = link(LibC.poll$address(), LibC.poll$descriptor());
    static final MethodHandle PPOLL = link(LibC.ppoll$address(), LibC.ppoll$descriptor());
    static final MethodHandle EVENTFD = link(LibC.eventfd$address(), LibC.eventfd$descriptor());
  }

  private static final class Epoll {
    static final MethodHandle EPOLL_CREATE1 =
        link(LibC.epoll_create1$address(), LibC.epoll_create1$descriptor());
    static final MethodHandle EPOLL_CTL =
        link(LibC.epoll_ctl$address(), LibC.epoll_ctl$descriptor());
    static final MethodHandle EPOLL_WAIT =
        link(LibC.epoll_wait$address(), LibC.epoll_wait$descriptor());
    static final @Nullable MethodHandle EPOLL_PWAIT2 = linkEpollPwait2();
  }

  private static final class Files {
    static final MethodHandle READ = link(LibC.read$address(), LibC.read$descriptor());
    static final MethodHandle WRITE = link(LibC.write$address(), LibC.write$descriptor());
    static final MethodHandle CLOSE = link(LibC.close$address(), LibC.close$descriptor());
    static final MethodHandle FCNTL =
        link(
            LibC.fcntl.address(),
            FunctionDescriptor.of(LibC.C_INT, LibC.C_INT, LibC.C_INT, LibC.C_INT),
            VARIADIC_FROM_THIRD);
  }

  private static final class Rare {
    static final MethodHandle OPEN =
        link(
            LibC.open.address(),
            FunctionDescriptor.of(LibC.C_INT, LibC.C_POINTER, LibC.C_INT, LibC.C_INT),
            VARIADIC_FROM_THIRD);
    static final MethodHandle SENDFILE = link(LibC.sendfile$address(), LibC.sendfile$descriptor());
    static final MethodHandle PIPE2 = link(LibC.pipe2$address(), LibC.pipe2$descriptor());
    static final @Nullable MethodHandle FSTAT = linkFstat();
    static final MethodHandle SOCKETPAIR =
        link(LibC.socketpair$address(), LibC.socketpair$descriptor());
    static final MethodHandle GETRLIMIT =
        link(LibC.getrlimit$address(), LibC.getrlimit$descriptor());
  }

  private static final class Sockets {
    static final MethodHandle SOCKET = link(LibC.socket$address(), LibC.socket$descriptor());
    static final MethodHandle BIND = link(LibC.bind$address(), LibC.bind$descriptor());
    static final MethodHandle LISTEN = link(LibC.listen$address(), LibC.listen$descriptor());
    static final MethodHandle ACCEPT4 = link(LibC.accept4$address(), LibC.accept4$descriptor());
    static final MethodHandle CONNECT = link(LibC.connect$address(), LibC.connect$descriptor());
    static final MethodHandle SHUTDOWN = link(LibC.shutdown$address(), LibC.shutdown$descriptor());
    static final MethodHandle SEND = link(LibC.send$address(), LibC.send$descriptor());
    static final MethodHandle RECV = link(LibC.recv$address(), LibC.recv$descriptor());
    static final MethodHandle GETSOCKOPT =
        link(LibC.getsockopt$address(), LibC.getsockopt$descriptor());
    static final MethodHandle SETSOCKOPT =
        link(LibC.setsockopt$address(), LibC.setsockopt$descriptor());
    static final MethodHandle GETSOCKNAME =
        link(LibC.getsockname$address(), LibC.getsockname$descriptor());
  }

  private static MethodHandle link(
      MemorySegment address, FunctionDescriptor descriptor, Linker.Option... more) {
    Linker.Option[] options = new Linker.Option[more.length + 1];
    options[0] = ERRNO;
    System.arraycopy(more, 0, options, 1, more.length);
    return LINKER.downcallHandle(address, descriptor, options);
  }

  /**
   * Looks a function up by its name and links it, for {@link NativeCall}; null if libc has none.
   *
   * @param firstVariadic the index of the first variadic argument, or -1
   */
  static @Nullable MethodHandle link(
      String name, FunctionDescriptor descriptor, int firstVariadic) {
    MemorySegment address = LINKER.defaultLookup().find(name).orElse(null);
    if (address == null) {
      return null;
    }
    return firstVariadic < 0
        ? link(address, descriptor)
        : link(address, descriptor, Linker.Option.firstVariadicArg(firstVariadic));
  }

  /** A linked C function throws nothing; what arrives here is an Error or a misuse of memory. */
  static RuntimeException impossible(Throwable t) {
    if (t instanceof RuntimeException e) {
      return e;
    }
    if (t instanceof Error e) {
      throw e;
    }
    return new IllegalStateException(t);
  }

  /** What one call needs besides its arguments: where errno goes, and room for a timespec. */
  private static final class Frame {
    private final MemorySegment state;
    private final MemorySegment timespec;

    Frame() {
      Arena arena = Arena.ofAuto();
      state = arena.allocate(STATE);
      timespec = dev.fdfiber.libc.timespec.allocate(arena);
    }

    MemorySegment timespec(long nanos) {
      dev.fdfiber.libc.timespec.tv_sec(timespec, nanos / 1_000_000_000L);
      dev.fdfiber.libc.timespec.tv_nsec(timespec, nanos % 1_000_000_000L);
      return timespec;
    }

    int result(int returned) {
      return returned >= 0 ? returned : -state.get(JAVA_INT, ERRNO_OFFSET);
    }

    long result(long returned) {
      return returned >= 0 ? returned : -state.get(JAVA_INT, ERRNO_OFFSET);
    }
  }
}
