package dev.fdfiber.poller;

import dev.fdfiber.kernel.Kernel;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

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
 * twice as many each time. All waits of a descriptor are with one of the two. Those of an owner
 * whose {@link Registration} lasts are with epoll(7) as soon as there is an instance, since they
 * cost no call there but the first. The instance is made when waits first move; where none can be
 * had, for want of a descriptor or in a kernel without, poll(2) goes on alone.
 *
 * <p><b>Price.</b> While there are young waits, 30 ns for each of them in a look, and a second call
 * in a look that finds something by epoll(7).
 */
public final class AdaptivePoller implements Poller {
  /** The most descriptors that poll(2) is asked about: ADR 4 has the figures. */
  static final int MOST = 12;

  private static final int LOOKS_BETWEEN_TRIES = 1_000;
  private static final int LONGEST_PAUSE = 255;

  private final Kernel kernel;
  private final PollPoller young;
  private @Nullable EpollPoller old; // once waits have moved
  private int eventFd = -1;
  private int epollFd = -1;
  private int looksToTry; // until an instance is asked for again
  private boolean hosted; // by a loop that waits for the instance
  private int pause; // how many looks waits do not begin with poll(2) for, after one in vain
  private int looksToPoll; // until they do again

  /** Makes a poller over a kernel. */
  public AdaptivePoller(Kernel kernel) {
    this.kernel = kernel;
    this.young = new PollPoller(kernel);
  }

  @Override
  public int add(Wait wait) {
    return pollerOf(wait).add(wait);
  }

  private Poller pollerOf(Wait wait) {
    EpollPoller grown = old;
    int fd = wait.fd();
    if (grown == null || young.knows(fd)) {
      return young;
    }
    boolean lasts = wait.registration() != null;
    boolean notYoung = lasts || hosted || looksToPoll > 0 || fd == epollFd || fd == eventFd;
    return notYoung || grown.knows(fd) ? grown : young;
  }

  @Override
  public void remove(Wait wait) {
    EpollPoller grown = old;
    (grown == null || young.knows(wait.fd()) ? young : grown).remove(wait);
  }

  @Override
  public void removeAll(int fd, Consumer<Wait> removed) {
    young.removeAll(fd, removed);
    if (old != null) {
      old.removeAll(fd, removed);
    }
  }

  @Override
  public int size() {
    return young.size() + (old == null ? 0 : old.size());
  }

  @Override
  public void wakeBy(int fd) {
    eventFd = fd;
    (old == null ? young : old).wakeBy(fd);
  }

  @Override
  public int pollFd() {
    int fd = old == null ? open() : epollFd;
    if (fd >= 0) {
      hosted = true;
      move();
    }
    return fd;
  }

  @Override
  public Look poll(long timeoutNanos, Consumer<Wait> ready) {
    if (young.descriptors() > MOST && old == null && --looksToTry < 0 && open() < 0) {
      looksToTry = LOOKS_BETWEEN_TRIES;
    }
    EpollPoller grown = old;
    if (grown == null) {
      return young.poll(timeoutNanos, ready);
    }
    looksToPoll = Math.max(0, looksToPoll - 1);
    if (young.descriptors() > MOST || grown.hasQuestions()) {
      move();
    }
    return young.size() == 0
        ? grown.poll(timeoutNanos, ready)
        : pollBoth(grown, timeoutNanos, ready);
  }

  private Look pollBoth(EpollPoller grown, long timeoutNanos, Consumer<Wait> ready) {
    int youngBefore = young.size();
    Look look = young.poll(timeoutNanos, ready);
    boolean some = young.size() < youngBefore;
    if (look != Look.WOKEN) {
      pause = some ? pause / 2 : pause;
      return look;
    }
    int oldBefore = grown.size();
    look = grown.poll(0, ready);
    if (!some && grown.size() < oldBefore) {
      move();
      pause = Math.min(2 * pause + 1, LONGEST_PAUSE);
      looksToPoll = pause;
    }
    return look;
  }

  /** Makes the instance: its descriptor, or minus errno. */
  private int open() {
    EpollPoller made = new EpollPoller(kernel);
    int fd = made.pollFd();
    if (fd < 0) {
      made.close();
      return fd;
    }
    if (eventFd >= 0) {
      made.wakeBy(eventFd);
    }
    young.wakeBy(fd);
    old = made;
    epollFd = fd;
    return fd;
  }

  /** Hands the young waits over to the instance. */
  private void move() {
    if (old != null) {
      young.moveTo(old);
    }
  }

  @Override
  public boolean asksEpoll() {
    return old != null;
  }

  @Override
  public boolean needsSweep() {
    return old != null;
  }

  @Override
  public boolean sweep(Consumer<Wait> gone) {
    return old != null && old.sweep(gone);
  }

  @Override
  public void close() {
    young.close();
    if (old != null) {
      old.close();
    }
  }
}
