package dev.fdfiber.kernel;

import static dev.fdfiber.libc.LibC.C_INT;
import static dev.fdfiber.libc.LibC.C_LONG;
import static dev.fdfiber.libc.LibC.C_POINTER;

import dev.fdfiber.libc.LibC;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;

/**
 * The real calls behind the typed descriptors, a line each. pidfd_open and pidfd_send_signal go
 * through syscall(2): libc has them only since 2.36.
 */
class LinuxTypedCalls implements TypedCalls {
  static final long PIDFD_OPEN = 434;
  static final long PIDFD_SEND_SIGNAL = 424;

  @Override
  public int timerfdCreate(int clock, int flags) {
    return (int) Timerfd.CREATE.with(clock, flags);
  }

  @Override
  public int timerfdSettime(int fd, int flags, MemorySegment newValue) {
    return (int) Timerfd.SETTIME.with(fd, flags, newValue, MemorySegment.NULL);
  }

  @Override
  public int timerfdGettime(int fd, MemorySegment value) {
    return (int) Timerfd.GETTIME.with(fd, value);
  }

  @Override
  public int inotifyInit1(int flags) {
    return (int) Inotify.INIT1.with(flags);
  }

  @Override
  public int inotifyAddWatch(int fd, MemorySegment path, int mask) {
    return (int) Inotify.ADD_WATCH.with(fd, path, mask);
  }

  @Override
  public int inotifyRmWatch(int fd, int watch) {
    return (int) Inotify.RM_WATCH.with(fd, watch);
  }

  @Override
  public int pidfdOpen(int pid, int flags) {
    return (int) Processes.SYSCALL.with(PIDFD_OPEN, (long) pid, (long) flags, 0L, 0L);
  }

  @Override
  public int pidfdSendSignal(int pidFd, int signal) {
    return (int) Processes.SYSCALL.with(PIDFD_SEND_SIGNAL, (long) pidFd, (long) signal, 0L, 0L);
  }

  @Override
  public int kill(int pid, int signal) {
    return (int) Processes.KILL.with(pid, signal);
  }

  @Override
  public int waitid(int idType, int id, MemorySegment info, int options) {
    return (int) Processes.WAITID.with(idType, id, info, options);
  }

  @Override
  public int posixSpawnp(SpawnRequest request) {
    return PosixSpawn.start(request);
  }

  @Override
  public int mkfifo(MemorySegment path, int mode) {
    return (int) Devices.MKFIFO.with(path, mode);
  }

  @Override
  public int ioctl(int fd, long request, MemorySegment argument) {
    return (int) Devices.IOCTL.with(fd, request, argument);
  }

  @Override
  public long sendmsg(int fd, MemorySegment message, int flags) {
    return Devices.SENDMSG.with(fd, message, flags);
  }

  @Override
  public long recvmsg(int fd, MemorySegment message, int flags) {
    return Devices.RECVMSG.with(fd, message, flags);
  }

  @Override
  public int getpeername(int fd, MemorySegment address, MemorySegment length) {
    return (int) Devices.GETPEERNAME.with(fd, address, length);
  }

  // Linked in groups, at their first use.

  private static final class Timerfd {
    static final NativeCall CREATE =
        NativeCall.of("timerfd_create", LibC.timerfd_create$descriptor());
    static final NativeCall SETTIME =
        NativeCall.of("timerfd_settime", LibC.timerfd_settime$descriptor());
    static final NativeCall GETTIME =
        NativeCall.of("timerfd_gettime", LibC.timerfd_gettime$descriptor());
  }

  private static final class Inotify {
    static final NativeCall INIT1 = NativeCall.of("inotify_init1", LibC.inotify_init1$descriptor());
    static final NativeCall ADD_WATCH =
        NativeCall.of("inotify_add_watch", LibC.inotify_add_watch$descriptor());
    static final NativeCall RM_WATCH =
        NativeCall.of("inotify_rm_watch", LibC.inotify_rm_watch$descriptor());
  }

  private static final class Processes {
    static final NativeCall SYSCALL =
        NativeCall.of(
            "syscall", FunctionDescriptor.of(C_LONG, C_LONG, C_LONG, C_LONG, C_LONG, C_LONG), 1);
    static final NativeCall KILL = NativeCall.of("kill", LibC.kill$descriptor());
    static final NativeCall WAITID =
        NativeCall.of("waitid", FunctionDescriptor.of(C_INT, C_INT, C_INT, C_POINTER, C_INT));
  }

  private static final class Devices {
    static final NativeCall MKFIFO = NativeCall.of("mkfifo", LibC.mkfifo$descriptor());
    static final NativeCall IOCTL =
        NativeCall.of("ioctl", FunctionDescriptor.of(C_INT, C_INT, C_LONG, C_POINTER), 2);
    static final NativeCall SENDMSG = NativeCall.of("sendmsg", LibC.sendmsg$descriptor());
    static final NativeCall RECVMSG = NativeCall.of("recvmsg", LibC.recvmsg$descriptor());
    static final NativeCall GETPEERNAME =
        NativeCall.of("getpeername", LibC.getpeername$descriptor());
  }
}
