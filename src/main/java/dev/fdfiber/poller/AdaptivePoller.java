package dev.fdfiber.poller;

import dev.fdfiber.kernel.Kernel;
import java.util.function.Consumer;

/**
 * Young waits by poll(2), old ones by epoll(7).
 *
 * <p><b>Fact.</b> poll(2) takes no call for a wait, and about 30 ns for each descriptor in each
 * look; epoll(7) takes a call for a wait, and nothing for it in a look. So poll(2) is the cheaper
 * for waits that are over soon, epoll(7) for those that last. An epoll instance is a descriptor
 * that poll(2) can be asked about.
 *
 * <p><b>Hazards.</b> A look that has to ask both takes two calls. Where many descriptors are in use
 * in turn, hardly any wait is over by the next look, and each would be asked about in vain before
 * it is asked about by epoll(7). A descriptor whose waits were with both would have them end out of
 * order.
 *
 * <p><b>Decision.</b> A wait begins with poll(2). When there are more than {@value #MOST}
 * descriptors, or when a look finds something by epoll(7) and nothing by poll(2), the waits that
 * are there move to epoll(7), and stay until they are over. A look asks poll(2) about the young
 * ones and the instance, and the instance only if that is ready; where no wait is young it asks the
 * instance alone. If looks by poll(2) are in vain, waits begin with epoll(7) for as many looks,
 * twice as many each time. All waits of a descriptor are with one of the two, and so are those of
 * an owner whose {@link Registration} lasts, which cost no call any more. The instance is made when
 * waits first move; where none can be had, for want of a descriptor or in a kernel without, poll(2)
 * goes on alone.
 *
 * <p><b>Price.</b> While there are young waits, 30 ns for each of them in a look, and a second call
 * in a look that finds something by epoll(7).
 */
public final class AdaptivePoller implements Poller {
  /** The most descriptors that poll(2) is asked about: ADR 4 has the figures. */
  static final int MOST = 12;

  private static final int LOOKS_BETWEEN_TRIES = 1_000;
  private static final int LONGEST_PAUSE = 255;

  private final PollPoller young;
  private final EpollPoller old;
  private int eventFd = -1;
  private int epollFd = -1; // once waits have moved
  private int looksToTry; // until an instance is asked for again
  private boolean hosted; // by a loop that waits for the instance
  private int pause; // how many looks waits do not begin with poll(2) for, after one in vain
  private int looksToPoll; // until they do again

  /** Makes a poller over a kernel. */
  public AdaptivePoller(Kernel kernel) {
    this.young = new PollPoller(kernel);
    this.old = new EpollPoller(kernel);
  }

  @Override
  public int add(Wait wait) {
    return pollerOf(wait.fd()).add(wait);
  }

  private Poller pollerOf(int fd) {
    if (epollFd < 0 || young.knows(fd)) {
      return young;
    }
    boolean notYoung = hosted || looksToPoll > 0 || fd == epollFd || fd == eventFd;
    return notYoung || old.knows(fd) ? old : young;
  }

  @Override
  public void remove(Wait wait) {
    (young.knows(wait.fd()) ? young : old).remove(wait);
  }

  @Override
  public void removeAll(int fd, Consumer<Wait> removed) {
    young.removeAll(fd, removed);
    old.removeAll(fd, removed);
  }

  @Override
  public int size() {
    return young.size() + old.size();
  }

  @Override
  public void wakeBy(int fd) {
    eventFd = fd;
    old.wakeBy(fd);
    if (epollFd < 0) {
      young.wakeBy(fd);
    }
  }

  @Override
  public int pollFd() {
    int fd = old.pollFd();
    if (fd >= 0) {
      hosted = true;
      move(fd);
    }
    return fd;
  }

  @Override
  public Look poll(long timeoutNanos, Consumer<Wait> ready) {
    if (young.descriptors() > MOST || (old.hasQuestions() && young.size() > 0)) {
      moveIfPossible();
    }
    if (epollFd < 0) {
      return young.poll(timeoutNanos, ready);
    }
    if (looksToPoll > 0) {
      looksToPoll--;
    }
    return young.size() == 0 ? old.poll(timeoutNanos, ready) : pollBoth(timeoutNanos, ready);
  }

  private Look pollBoth(long timeoutNanos, Consumer<Wait> ready) {
    int youngBefore = young.size();
    Look look = young.poll(timeoutNanos, ready);
    boolean some = young.size() < youngBefore;
    if (look != Look.WOKEN) {
      pause = some ? pause / 2 : pause;
      return look;
    }
    int oldBefore = old.size();
    look = old.poll(0, ready);
    if (!some && old.size() < oldBefore) {
      move(epollFd);
      pause = Math.min(2 * pause + 1, LONGEST_PAUSE);
      looksToPoll = pause;
    }
    return look;
  }

  private void moveIfPossible() {
    if (epollFd >= 0) {
      move(epollFd);
    } else if (--looksToTry < 0) {
      int fd = old.pollFd();
      if (fd < 0) {
        looksToTry = LOOKS_BETWEEN_TRIES;
      } else {
        move(fd);
      }
    }
  }

  /** Hands the young waits over to the instance. */
  private void move(int instance) {
    epollFd = instance;
    young.wakeBy(instance);
    young.moveTo(old);
  }

  @Override
  public boolean asksEpoll() {
    return epollFd >= 0;
  }

  @Override
  public boolean needsSweep() {
    return epollFd >= 0;
  }

  @Override
  public boolean sweep(Consumer<Wait> gone) {
    return old.sweep(gone);
  }

  @Override
  public void close() {
    young.close();
    old.close();
  }
}
