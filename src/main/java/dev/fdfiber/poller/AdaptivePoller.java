package dev.fdfiber.poller;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import java.util.function.Consumer;

/**
 * Begins with poll(2), which costs nothing for a wait and needs no descriptor of its own, and moves
 * to epoll(7) for good as soon as a look would ask about more than {@value #MOST} descriptors.
 *
 * <p>Both ask about the same {@link WaitTable}, and a wait that is over is in neither, so moving is
 * no more than asking the other from now on. It happens at the beginning of a look. Where no epoll
 * instance can be had, for want of a descriptor or in a kernel without, poll(2) goes on.
 */
public final class AdaptivePoller implements Poller {
  /** The most descriptors that poll(2) is asked about: ADR 4 has the figures. */
  static final int MOST = 12;

  private static final int LOOKS_BETWEEN_TRIES = 1_000;

  private final Kernel kernel;
  private final WaitTable table = new WaitTable();
  private Poller current;
  private boolean moved;
  private int eventFd = -1;
  private int looksToTry;

  /** Makes a poller over a kernel. */
  public AdaptivePoller(Kernel kernel) {
    this.kernel = kernel;
    this.current = new PollPoller(kernel, table);
  }

  @Override
  public int add(Wait wait) {
    return current.add(wait);
  }

  @Override
  public void remove(Wait wait) {
    current.remove(wait);
  }

  @Override
  public void removeAll(int fd, Consumer<Wait> removed) {
    current.removeAll(fd, removed);
  }

  @Override
  public int size() {
    return table.waits();
  }

  @Override
  public void wakeBy(int fd) {
    eventFd = fd;
    current.wakeBy(fd);
  }

  @Override
  public int pollFd() {
    if (!moved) {
      move();
    }
    return moved ? current.pollFd() : -Errno.EMFILE;
  }

  @Override
  public Look poll(long timeoutNanos, Consumer<Wait> ready) {
    if (!moved && table.size() > MOST && --looksToTry < 0) {
      move();
    }
    return current.poll(timeoutNanos, ready);
  }

  private void move() {
    EpollPoller epoll = new EpollPoller(kernel, table);
    if (epoll.open() < 0) {
      epoll.close();
      looksToTry = LOOKS_BETWEEN_TRIES;
      return;
    }
    if (eventFd >= 0) {
      epoll.wakeBy(eventFd);
    }
    current.close();
    current = epoll;
    moved = true;
  }

  @Override
  public boolean asksEpoll() {
    return moved;
  }

  @Override
  public boolean needsSweep() {
    return moved;
  }

  @Override
  public boolean sweep(Consumer<Wait> gone) {
    return current.sweep(gone);
  }

  @Override
  public void close() {
    current.close();
  }
}
