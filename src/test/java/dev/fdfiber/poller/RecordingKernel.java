package dev.fdfiber.poller;

import dev.fdfiber.kernel.EpollEvents;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.ForwardingKernel;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Keeps the calls of epoll_ctl, and refuses what it is told to. */
final class RecordingKernel extends ForwardingKernel {
  private final List<String> calls = new ArrayList<>();
  int epollFd = -1;
  int refused = -1;
  int errno;

  RecordingKernel() {
    super(Kernel.system());
  }

  @Override
  public int epollCreate1(int flags) {
    epollFd = super.epollCreate1(flags);
    return epollFd;
  }

  @Override
  public int epollCtl(int epoll, int operation, int fd, MemorySegment event) {
    int result = fd == refused ? -errno : super.epollCtl(epoll, operation, fd, event);
    String name =
        operation == EpollEvents.EPOLL_CTL_MOD
            ? "MOD"
            : operation == EpollEvents.EPOLL_CTL_ADD ? "ADD" : "DEL";
    calls.add(name + (result == 0 ? "" : " " + Errno.name(-result)));
    return result;
  }

  List<String> takeCalls() {
    List<String> taken = List.copyOf(calls);
    calls.clear();
    return taken;
  }
}
