package dev.fdfiber.examples;

import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.EpollEvents;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.io.IOException;
import java.util.OptionalLong;

/**
 * Fibers as guests of a loop around epoll(7) that is somebody else's: it waits for its own
 * descriptors and for the one of the scheduler, and drives the scheduler when that is readable or
 * its next timer is due.
 */
public final class EpollHost implements AutoCloseable {
  /** What the loop does when one of its own descriptors is readable. */
  @FunctionalInterface
  public interface Handler {
    /** Called with the descriptor, in the loop's thread. */
    void readable(int fd);
  }

  private static final int MOST_EVENTS = 16;

  private final Kernel kernel = Kernel.system();
  private final Scheduler guest;
  private final Handler handler;
  private final int guestFd;
  private final int epollFd;
  private final EpollEvents event = new EpollEvents(1);
  private final EpollEvents seen = new EpollEvents(MOST_EVENTS);

  /** A loop with a guest, on the thread that calls. */
  public EpollHost(Scheduler guest, Handler handler) throws IOException {
    this.guest = guest;
    this.handler = handler;
    this.guestFd = guest.pollFd();
    this.epollFd = check(kernel.epollCreate1(EpollEvents.EPOLL_CLOEXEC), "epoll_create1");
    add(guestFd);
  }

  /** Watches one more descriptor for reading. */
  public void add(int fd) throws IOException {
    event.set(Linux.POLLIN, fd, 0);
    check(kernel.epollCtl(epollFd, EpollEvents.EPOLL_CTL_ADD, fd, event.array()), "epoll_ctl");
  }

  /** One turn: waits, serves what is readable, lets the fibers run. */
  public void turn() throws IOException {
    OptionalLong next = guest.nextWakeNanos(); // 0 when a fiber is ready
    int found = kernel.epollPwait2(epollFd, seen.array(), MOST_EVENTS, next.orElse(-1));
    if (found != -Errno.EINTR) {
      check(found, "epoll_wait");
    }
    for (int i = 0; i < found; i++) {
      if (seen.fd(i) != guestFd) {
        handler.readable(seen.fd(i));
      }
    }
    guest.runUntilEmpty(); // costs next to nothing when there is nothing to do
  }

  @Override
  public void close() {
    kernel.close(epollFd);
    event.close();
    seen.close();
  }

  private static int check(int result, String call) throws IOException {
    if (result < 0) {
      throw new IOException(call + ": " + Errno.name(-result));
    }
    return result;
  }
}
