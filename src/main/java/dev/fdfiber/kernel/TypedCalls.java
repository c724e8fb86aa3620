package dev.fdfiber.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The system calls behind the typed descriptors, timers, watches, processes, terminals and
 * messages: a part of {@link Kernel}, with its rules.
 *
 * <p>A kernel that does not have a call answers {@code ENOSYS}, as Linux does; whoever wraps a
 * kernel hands all of them on.
 */
public interface TypedCalls {

  // ---- timers

  /** Makes a timer, timerfd_create(2). */
  default int timerfdCreate(int clock, int flags) {
    return -Errno.ENOSYS;
  }

  /** Sets a timer, timerfd_settime(2); {@code newValue} is a {@code struct itimerspec}. */
  default int timerfdSettime(int fd, int flags, MemorySegment newValue) {
    return -Errno.ENOSYS;
  }

  /** Tells what is left of a timer, timerfd_gettime(2), into a {@code struct itimerspec}. */
  default int timerfdGettime(int fd, MemorySegment value) {
    return -Errno.ENOSYS;
  }

  // ---- watches

  /** Makes an inotify descriptor, inotify_init1(2). */
  default int inotifyInit1(int flags) {
    return -Errno.ENOSYS;
  }

  /** Watches a path, which ends with a NUL, inotify_add_watch(2); returns the watch. */
  default int inotifyAddWatch(int fd, MemorySegment path, int mask) {
    return -Errno.ENOSYS;
  }

  /** Ends a watch, inotify_rm_watch(2). */
  default int inotifyRmWatch(int fd, int watch) {
    return -Errno.ENOSYS;
  }

  // ---- processes

  /** Makes a descriptor of a process, pidfd_open(2). */
  default int pidfdOpen(int pid, int flags) {
    return -Errno.ENOSYS;
  }

  /** Sends a signal to the process of a descriptor, pidfd_send_signal(2). */
  default int pidfdSendSignal(int pidFd, int signal) {
    return -Errno.ENOSYS;
  }

  /** Sends a signal to the process of a number, kill(2): only safe for a child not waited for. */
  default int kill(int pid, int signal) {
    return -Errno.ENOSYS;
  }

  /**
   * Waits for a child, waitid(2), into a {@code siginfo_t}, see {@link SigInfo}. Blocks unless
   * {@code options} have {@code WNOHANG}.
   */
  default int waitid(int idType, int id, MemorySegment info, int options) {
    return -Errno.ENOSYS;
  }

  /**
   * Starts a program, posix_spawnp(3); returns its pid. Blocks until it was executed, or could not
   * be.
   */
  default int posixSpawnp(SpawnRequest request) {
    return -Errno.ENOSYS;
  }

  // ---- devices and messages

  /** Makes a named pipe, mkfifo(3); {@code path} ends with a NUL. */
  default int mkfifo(MemorySegment path, int mode) {
    return -Errno.ENOSYS;
  }

  /** Controls a device, ioctl(2). A plain number goes as an address. */
  default int ioctl(int fd, long request, MemorySegment argument) {
    return -Errno.ENOSYS;
  }

  /**
   * Sends a message, sendmsg(2), a {@code struct msghdr}, see {@link Messages}. Blocks while there
   * is no room, unless socket or flags forbid it.
   */
  default long sendmsg(int fd, MemorySegment message, int flags) {
    return -Errno.ENOSYS;
  }

  /**
   * Receives a message, recvmsg(2), into a {@code struct msghdr}, see {@link Messages}. Blocks
   * while there is none, unless socket or flags forbid it.
   */
  default long recvmsg(int fd, MemorySegment message, int flags) {
    return -Errno.ENOSYS;
  }

  /** Tells the address of the peer, getpeername(2); {@code length} is an int, read and written. */
  default int getpeername(int fd, MemorySegment address, MemorySegment length) {
    return -Errno.ENOSYS;
  }
}
