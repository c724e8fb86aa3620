package dev.fdfiber.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The system calls that this library makes, one method each: every effect on a file descriptor goes
 * through here, so a simulated or a fault-injecting kernel is an ordinary implementation.
 *
 * <p>A method is one system call, no more. It returns what the call returns, or minus errno where
 * the call failed (see {@link Errno}); it never throws for a failed call and never retries, also
 * not on {@code EINTR}. Memory that is passed in must be native and stays the caller's. Any thread
 * may call any method; none of them suspends a fiber, and the few that can block the calling thread
 * say so.
 */
public interface Kernel extends TypedCalls {

  /**
   * The kernel of this machine.
   *
   * @throws UnsupportedOperationException on anything but Linux on x86-64 or aarch64
   */
  static Kernel system() {
    Platform.check(); // before the class that links is touched
    return LinuxKernel.INSTANCE;
  }

  /**
   * Waits until one of the descriptors is ready, ppoll(2), or poll(2) where the time is one of
   * whole milliseconds. Blocks the calling thread.
   *
   * @param pollFds an array of {@code struct pollfd}, see {@link PollFds}
   * @param count how many entries of it count
   * @param timeoutNanos how long to wait at most; 0 looks and returns; negative waits without end
   * @return how many entries have a result in {@code revents}, 0 when the time was up
   */
  int ppoll(MemorySegment pollFds, int count, long timeoutNanos);

  /**
   * Makes an epoll instance, epoll_create1(2). A kernel that leaves it at ENOSYS, as here, has none
   * and is asked by {@link #ppoll}.
   */
  default int epollCreate1(int flags) {
    return -Errno.ENOSYS;
  }

  /** Changes what an epoll instance is asked, epoll_ctl(2), with one of {@link EpollEvents}. */
  default int epollCtl(int epollFd, int operation, int fd, MemorySegment event) {
    return -Errno.ENOSYS;
  }

  /**
   * Waits for what an epoll instance was asked, epoll_pwait2(2), or epoll_wait(2) where the time is
   * one of whole milliseconds. Blocks the calling thread. Before Linux 5.11 or glibc 2.35 it is
   * always epoll_wait(2), and the timeout is rounded up to milliseconds.
   *
   * @param events an array of {@code struct epoll_event}, see {@link EpollEvents}
   * @param maxEvents how many of them have room
   * @param timeoutNanos how long to wait at most; 0 looks and returns; negative waits without end
   * @return how many events were written, 0 when the time was up
   */
  default int epollPwait2(int epollFd, MemorySegment events, int maxEvents, long timeoutNanos) {
    return -Errno.ENOSYS;
  }

  /** Makes an eventfd, eventfd(2). */
  int eventfd(int initialValue, int flags);

  /** Makes a pipe, pipe2(2); {@code fds} receives two ints, the read end first. */
  int pipe2(MemorySegment fds, int flags);

  /** Opens a file, open(2); {@code path} ends with a NUL. A FIFO can block. */
  int open(MemorySegment path, int flags, int mode);

  /** Reads bytes, read(2). Blocks unless the description is non-blocking or has data. */
  long read(int fd, MemorySegment buffer, long count);

  /** Writes bytes, write(2). Blocks unless the description is non-blocking or has room. */
  long write(int fd, MemorySegment buffer, long count);

  /**
   * Copies from a file, at its position, to another descriptor, sendfile(2). Blocks unless {@code
   * outFd} is non-blocking or has room, and while the file is read from its disk.
   */
  long sendfile(int outFd, int inFd, long count);

  /** Manipulates a descriptor, fcntl(2), with an int argument. */
  int fcntl(int fd, int command, int argument);

  /** Closes a descriptor, close(2). Never to be repeated, whatever it returned. */
  int close(int fd);

  /** Makes a socket, socket(2). */
  int socket(int domain, int type, int protocol);

  /** Makes a pair of connected sockets, socketpair(2); {@code fds} receives two ints. */
  int socketpair(int domain, int type, int protocol, MemorySegment fds);

  /** Gives a socket its address, bind(2). */
  int bind(int fd, MemorySegment address, int addressLength);

  /** Makes a socket accept connections, listen(2). */
  int listen(int fd, int backlog);

  /**
   * Takes a pending connection, accept4(2), and leaves the peer's address aside. Blocks unless the
   * socket is non-blocking or there is one.
   */
  int accept4(int fd, int flags);

  /** Connects a socket, connect(2). Blocks unless the socket is non-blocking. */
  int connect(int fd, MemorySegment address, int addressLength);

  /** Ends one or both directions of a connection, shutdown(2). */
  int shutdown(int fd, int how);

  /** Sends bytes, send(2). Blocks while there is no room, unless socket or flags forbid it. */
  long send(int fd, MemorySegment buffer, long count, int flags);

  /** Receives bytes, recv(2). Blocks while there are none, unless socket or flags forbid it. */
  long recv(int fd, MemorySegment buffer, long count, int flags);

  /** Reads a socket option, getsockopt(2); {@code length} is an int, read and written. */
  int getsockopt(int fd, int level, int option, MemorySegment value, MemorySegment length);

  /** Sets a socket option, setsockopt(2). */
  int setsockopt(int fd, int level, int option, MemorySegment value, int length);

  /** Tells a socket's own address, getsockname(2); {@code length} is an int, read and written. */
  int getsockname(int fd, MemorySegment address, MemorySegment length);

  /** Tells what a descriptor is, fstat(2), into a {@code struct stat}; ENOSYS before glibc 2.33. */
  int fstat(int fd, MemorySegment stat);

  /** Reads a limit of this process, getrlimit(2), into a {@code struct rlimit}. */
  int getrlimit(int resource, MemorySegment limit);
}
