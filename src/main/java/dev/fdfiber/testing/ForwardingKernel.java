package dev.fdfiber.testing;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.SpawnRequest;
import java.lang.foreign.MemorySegment;

/**
 * A kernel that hands every call on; subclasses look on, or answer some calls themselves. Whichever
 * call waits for descriptors goes through {@link #look}.
 */
public class ForwardingKernel implements Kernel {
  private final Kernel next;

  /** Hands on to another. */
  public ForwardingKernel(Kernel next) {
    this.next = next;
  }

  /** A call that waits for descriptors, for at most so many nanoseconds. */
  @FunctionalInterface
  public interface Look {
    int poll(long timeoutNanos);
  }

  /** A call that waits for descriptors, ppoll or epoll_pwait2. */
  protected int look(long timeoutNanos, Look next) {
    return next.poll(timeoutNanos);
  }

  @Override
  public int ppoll(MemorySegment pollFds, int count, long timeoutNanos) {
    return look(timeoutNanos, nanos -> next.ppoll(pollFds, count, nanos));
  }

  @Override
  public int epollPwait2(int epollFd, MemorySegment events, int maxEvents, long timeoutNanos) {
    return look(timeoutNanos, nanos -> next.epollPwait2(epollFd, events, maxEvents, nanos));
  }

  @Override
  public int epollCreate1(int flags) {
    return next.epollCreate1(flags);
  }

  @Override
  public int epollCtl(int epollFd, int operation, int fd, MemorySegment event) {
    return next.epollCtl(epollFd, operation, fd, event);
  }

  @Override
  public int eventfd(int initialValue, int flags) {
    return next.eventfd(initialValue, flags);
  }

  @Override
  public int pipe2(MemorySegment fds, int flags) {
    return next.pipe2(fds, flags);
  }

  @Override
  public int open(MemorySegment path, int flags, int mode) {
    return next.open(path, flags, mode);
  }

  @Override
  public long read(int fd, MemorySegment buffer, long count) {
    return next.read(fd, buffer, count);
  }

  @Override
  public long write(int fd, MemorySegment buffer, long count) {
    return next.write(fd, buffer, count);
  }

  @Override
  public long sendfile(int outFd, int inFd, long count) {
    return next.sendfile(outFd, inFd, count);
  }

  @Override
  public int fcntl(int fd, int command, int argument) {
    return next.fcntl(fd, command, argument);
  }

  @Override
  public int close(int fd) {
    return next.close(fd);
  }

  @Override
  public int socket(int domain, int type, int protocol) {
    return next.socket(domain, type, protocol);
  }

  @Override
  public int socketpair(int domain, int type, int protocol, MemorySegment fds) {
    return next.socketpair(domain, type, protocol, fds);
  }

  @Override
  public int bind(int fd, MemorySegment address, int addressLength) {
    return next.bind(fd, address, addressLength);
  }

  @Override
  public int listen(int fd, int backlog) {
    return next.listen(fd, backlog);
  }

  @Override
  public int accept4(int fd, int flags) {
    return next.accept4(fd, flags);
  }

  @Override
  public int connect(int fd, MemorySegment address, int addressLength) {
    return next.connect(fd, address, addressLength);
  }

  @Override
  public int shutdown(int fd, int how) {
    return next.shutdown(fd, how);
  }

  @Override
  public long send(int fd, MemorySegment buffer, long count, int flags) {
    return next.send(fd, buffer, count, flags);
  }

  @Override
  public long recv(int fd, MemorySegment buffer, long count, int flags) {
    return next.recv(fd, buffer, count, flags);
  }

  @Override
  public int getsockopt(int fd, int level, int option, MemorySegment value, MemorySegment length) {
    return next.getsockopt(fd, level, option, value, length);
  }

  @Override
  public int setsockopt(int fd, int level, int option, MemorySegment value, int length) {
    return next.setsockopt(fd, level, option, value, length);
  }

  @Override
  public int getsockname(int fd, MemorySegment address, MemorySegment length) {
    return next.getsockname(fd, address, length);
  }

  @Override
  public int fstat(int fd, MemorySegment stat) {
    return next.fstat(fd, stat);
  }

  @Override
  public int getrlimit(int resource, MemorySegment limit) {
    return next.getrlimit(resource, limit);
  }

  @Override
  public int timerfdCreate(int clock, int flags) {
    return next.timerfdCreate(clock, flags);
  }

  @Override
  public int timerfdSettime(int fd, int flags, MemorySegment newValue) {
    return next.timerfdSettime(fd, flags, newValue);
  }

  @Override
  public int timerfdGettime(int fd, MemorySegment value) {
    return next.timerfdGettime(fd, value);
  }

  @Override
  public int inotifyInit1(int flags) {
    return next.inotifyInit1(flags);
  }

  @Override
  public int inotifyAddWatch(int fd, MemorySegment path, int mask) {
    return next.inotifyAddWatch(fd, path, mask);
  }

  @Override
  public int inotifyRmWatch(int fd, int watch) {
    return next.inotifyRmWatch(fd, watch);
  }

  @Override
  public int pidfdOpen(int pid, int flags) {
    return next.pidfdOpen(pid, flags);
  }

  @Override
  public int pidfdSendSignal(int pidFd, int signal) {
    return next.pidfdSendSignal(pidFd, signal);
  }

  @Override
  public int kill(int pid, int signal) {
    return next.kill(pid, signal);
  }

  @Override
  public int waitid(int idType, int id, MemorySegment info, int options) {
    return next.waitid(idType, id, info, options);
  }

  @Override
  public int posixSpawnp(SpawnRequest request) {
    return next.posixSpawnp(request);
  }

  @Override
  public int mkfifo(MemorySegment path, int mode) {
    return next.mkfifo(path, mode);
  }

  @Override
  public int ioctl(int fd, long request, MemorySegment argument) {
    return next.ioctl(fd, request, argument);
  }

  @Override
  public long sendmsg(int fd, MemorySegment message, int flags) {
    return next.sendmsg(fd, message, flags);
  }

  @Override
  public long recvmsg(int fd, MemorySegment message, int flags) {
    return next.recvmsg(fd, message, flags);
  }

  @Override
  public int getpeername(int fd, MemorySegment address, MemorySegment length) {
    return next.getpeername(fd, address, length);
  }
}
