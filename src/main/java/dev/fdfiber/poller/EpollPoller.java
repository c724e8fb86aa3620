package dev.fdfiber.poller;

import static dev.fdfiber.kernel.EpollEvents.EPOLLERR;
import static dev.fdfiber.kernel.EpollEvents.EPOLLET;
import static dev.fdfiber.kernel.EpollEvents.EPOLLHUP;
import static dev.fdfiber.kernel.EpollEvents.EPOLLONESHOT;
import static dev.fdfiber.kernel.EpollEvents.EPOLLPRI;
import static dev.fdfiber.kernel.EpollEvents.EPOLLRDHUP;
import static dev.fdfiber.kernel.EpollEvents.EPOLL_CLOEXEC;
import static dev.fdfiber.kernel.EpollEvents.EPOLL_CTL_ADD;
import static dev.fdfiber.kernel.EpollEvents.EPOLL_CTL_DEL;
import static dev.fdfiber.kernel.EpollEvents.EPOLL_CTL_MOD;

import dev.fdfiber.kernel.EpollEvents;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Readiness by epoll(7).
 *
 * <p><b>Fact.</b> The kernel keeps what it was asked, so a look costs what is ready and not what is
 * waited for. What it keeps belongs to the pair of a number and an open file description, not to
 * the number: it lives until the last duplicate of the description is closed, wherever that is, and
 * once the number is closed or used again nobody can reach it. A regular file is EPERM.
 *
 * <p><b>Hazards.</b> A wait whose descriptor is closed and never reported again sleeps for ever. A
 * number that is used again makes an old registration report for the new file. A registration that
 * nobody waits for, and that cannot be taken off, turns the loop into a spin. Two waiters share one
 * registration, and what the one asks must not be lost when the other's turn has come.
 *
 * <p><b>Decision.</b> Every wait is asked anew, and reported once: EPOLLONESHOT. First with MOD,
 * which finds what an earlier wait left; ENOENT says that the file at this number is not known, and
 * then it is added. So nothing has to be taken off when a wait ends, and what is left behind
 * reports at most once more. Each question carries a new number next to the descriptor, and what is
 * reported with an older one is dropped. If MOD says ENOENT for waits that were asked about before,
 * their file is gone, and they get EBADF, while those that came later wait for the new one. A sweep
 * repeats the questions, at most {@value #SWEPT} at a time, and so finds what was closed or used
 * again behind our back. Waits are not asked about when they are registered but right before the
 * next look, all errors being reported by that look: so the order of what becomes ready is the same
 * as under poll(2), and a wait that is withdrawn before costs nothing.
 *
 * <p>The owner of a descriptor can do better, because it tells before it closes it: its {@link
 * Registration} lasts, edge-triggered, and a wait by it costs no call. Level-triggered it would be
 * reported in every look until its fiber has had its turn, which with a thousand ready descriptors
 * is a thousand times each 64 resumes. It is taken out before close(2), since a duplicate elsewhere
 * would go on bringing events; and while it is waited for the sweep repeats its question too, which
 * makes the kernel look anew.
 *
 * <p><b>Price.</b> A system call for each wait without one. While a duplicate keeps a closed file
 * alive, a wait for its number can end once in vain before the sweep finds out.
 */
public final class EpollPoller implements Poller {
  /** How many descriptors one sweep looks at. */
  static final int SWEPT = 64;

  private static final int LARGEST = 4096;
  private static final int BOTH = Wait.READ | Wait.WRITE;

  /** After these a read can end though no edge comes. */
  private static final int CLOSING = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;

  private static final int LASTING = EPOLLET | EPOLLRDHUP | EPOLLPRI;

  private final Kernel kernel;
  private final WaitTable table = new WaitTable();
  private final EpollEvents question = new EpollEvents(1);
  private EpollEvents answers = new EpollEvents(64);
  private @Nullable Waited[] pending = new Waited[64];
  private int pendingCount;
  private final ReentrantLock closing = new ReentrantLock(); // no call on an instance that is gone
  private volatile int epollFd = -1;
  private volatile boolean closed;
  private int eventFd = -1;
  private int numbers;
  private int sweepNext = -1;

  /** Makes a poller over a kernel. It holds no descriptor before it first looks. */
  public EpollPoller(Kernel kernel) {
    this.kernel = kernel;
  }

  @Override
  public int add(Wait wait) {
    if (wait.fd() < 0) {
      return -Errno.EBADF;
    }
    Waited waited = table.add(wait);
    Registration registration = wait.registration();
    if (registration == null || !isLasting(waited, registration)) {
      askSoon(waited);
    } else if ((waited.events() & ~waited.armed) != 0) {
      askSoon(waited);
    } else {
      wait.asked = true; // by the registration
    }
    return 0;
  }

  /** If the owner of a descriptor goes on being told about it, or is from now on. */
  @SuppressWarnings("ReferenceEquality") // a registration is itself alone
  private boolean isLasting(Waited waited, Registration registration) {
    if (waited.lasting == null && registration.claim(this)) {
      waited.lasting = registration;
      waited.armed = 0;
    }
    return waited.lasting == registration;
  }

  @Override
  public void remove(Wait wait) {
    freeIfEmpty(table.remove(wait));
  }

  @Override
  public void removeAll(int fd, Consumer<Wait> removed) {
    Waited waited = table.get(fd);
    if (waited != null) {
      table.handOut(waited, Wait.NOT_OPEN, false, removed);
      if (waited.lasting != null) {
        delete(fd);
        forget(waited);
      }
      freeIfEmpty(waited);
    }
  }

  @Override
  public int size() {
    return table.waits();
  }

  /** If a descriptor is waited for, or its owner goes on being told about it. */
  boolean knows(int fd) {
    return table.get(fd) != null;
  }

  /** If the next look has to ask the kernel about waits that it does not know yet. */
  boolean hasQuestions() {
    return pendingCount > 0;
  }

  @Override
  public void wakeBy(int fd) {
    eventFd = fd;
    if (epollFd >= 0) {
      addEventFd();
    }
    Waited same = table.get(fd);
    if (same != null) {
      askSoon(same);
    }
  }

  @Override
  public int pollFd() {
    int result = epollFd < 0 ? open() : 0;
    return result < 0 ? result : epollFd;
  }

  @Override
  public Look poll(long timeoutNanos, Consumer<Wait> ready) {
    if (epollFd < 0) {
      if (timeoutNanos == 0 && table.size() == 0) {
        return Look.DONE; // there is nothing to ask
      }
      int result = open();
      if (result < 0) {
        throw failed("epoll_create1", result);
      }
    }
    int before = table.waits();
    ask(ready);
    boolean some = table.waits() < before;
    int found = await(some ? 0 : timeoutNanos);
    if (found == -Errno.EINTR) {
      return Look.INTERRUPTED; // the caller knows how much time is left
    }
    boolean woken = answer(found, ready);
    while (found == answers.capacity()) {
      if (found < LARGEST) {
        answers.close();
        answers = new EpollEvents(found * 2);
      }
      found = await(0); // a look tells all that is ready
      woken |= answer(found, ready);
    }
    return woken ? Look.WOKEN : Look.DONE;
  }

  /** Makes the epoll instance: 0, or minus errno. */
  private int open() {
    int made = kernel.epollCreate1(EPOLL_CLOEXEC);
    if (made < 0) {
      return made;
    }
    epollFd = made;
    if (eventFd >= 0) {
      addEventFd();
    }
    return 0;
  }

  private void addEventFd() {
    question.set(Linux.POLLIN, eventFd, 0);
    int result = control(EPOLL_CTL_ADD, eventFd);
    if (result < 0) {
      throw failed("epoll_ctl", result);
    }
  }

  private int await(long timeoutNanos) {
    int found;
    do {
      found = kernel.epollPwait2(epollFd, answers.array(), answers.capacity(), timeoutNanos);
    } while (found == -Errno.EINTR && timeoutNanos == 0);
    if (found < 0 && found != -Errno.EINTR) {
      throw failed("epoll_pwait2", found);
    }
    return found;
  }

  private IllegalStateException failed(String call, int result) {
    return new IllegalStateException(
        call + " (epoll fd " + epollFd + "): " + Errno.name(-result) + ", epoll(7)");
  }

  /** Hands out who is ready; true if the eventfd was. */
  private boolean answer(int found, Consumer<Wait> ready) {
    boolean woken = false;
    for (int i = 0; i < found; i++) {
      int fd = answers.fd(i);
      int number = answers.number(i);
      if (number == 0) {
        woken |= fd == eventFd;
      } else {
        Waited waited = table.get(fd);
        if (waited != null && waited.number == number) {
          answer(waited, answers.events(i), ready);
        }
      }
    }
    return woken;
  }

  private void answer(Waited waited, int events, Consumer<Wait> ready) {
    int bits = Waited.bits(events);
    table.handOut(waited, bits, false, ready);
    if (waited.lasting != null) {
      waited.lasting.see(bits, (events & CLOSING) != 0);
      return;
    }
    waited.armed = 0;
    if (waited.isEmpty()) {
      free(waited);
    } else {
      askSoon(waited);
    }
  }

  // ---- asking

  private void askSoon(Waited waited) {
    if (waited.pending < 0) {
      if (pendingCount == pending.length) {
        pending = Arrays.copyOf(pending, pendingCount * 2);
      }
      waited.pending = pendingCount;
      pending[pendingCount++] = waited;
    }
  }

  private void freeIfEmpty(Waited waited) {
    if (waited.isEmpty() && waited.lasting == null) {
      free(waited);
    }
  }

  /** The kernel tells the owner no more. */
  private static void forget(Waited waited) {
    if (waited.lasting != null) {
      waited.lasting.release();
      waited.lasting = null;
      waited.armed = 0;
    }
  }

  private void free(Waited waited) {
    int place = waited.pending;
    if (place >= 0) {
      waited.pending = -1;
      Waited last = pending[--pendingCount];
      pending[pendingCount] = null;
      if (last != null && place < pendingCount) {
        last.pending = place;
        pending[place] = last;
      }
    }
    table.free(waited);
  }

  /** Asks about all whose waits have changed; what cannot be waited for is handed out. */
  private void ask(Consumer<Wait> ready) {
    while (pendingCount > 0) {
      Waited waited = pending[--pendingCount];
      pending[pendingCount] = null;
      if (waited != null) {
        waited.pending = -1;
        ask(waited, ready);
      }
    }
  }

  private void ask(Waited waited, Consumer<Wait> ready) {
    if (++numbers == 0) {
      numbers++; // that is the eventfd's
    }
    if (waited.isEmpty()) {
      return; // withdrawn meanwhile, but the owner may wait again
    }
    question.set(wanted(waited), waited.fd, numbers);
    int result = isOwn(waited.fd) ? -Errno.EBADF : control(EPOLL_CTL_MOD, waited.fd);
    if (result == -Errno.ENOENT) {
      result = askNew(waited, ready);
    }
    if (result == 0) {
      waited.armed = wanted(waited) & (Linux.POLLIN | Linux.POLLOUT);
      waited.number = numbers;
      for (Wait w = waited.first(); w != null; w = w.next) {
        w.asked = true;
      }
    } else {
      boolean always = result == -Errno.EPERM; // a regular file, or a directory
      table.handOut(waited, always ? BOTH : result, false, ready);
      forget(waited);
    }
    freeIfEmpty(waited);
  }

  /** The file at this number is not known, or not any more. */
  private int askNew(Waited waited, Consumer<Wait> ready) {
    if (waited.number != 0) {
      table.handOut(waited, Wait.NOT_OPEN, true, ready); // who waited for the file before
      forget(waited);
      question.set(wanted(waited), waited.fd, numbers);
    }
    return waited.isEmpty() ? 0 : control(EPOLL_CTL_ADD, waited.fd);
  }

  private static int wanted(Waited waited) {
    return waited.lasting == null
        ? waited.events() | EPOLLONESHOT
        : waited.events() | waited.armed | LASTING;
  }

  /** A number that this got itself was closed by whoever waits for it. */
  private boolean isOwn(int fd) {
    return fd == epollFd || fd == eventFd;
  }

  private int control(int operation, int fd) {
    return kernel.epollCtl(epollFd, operation, fd, question.array());
  }

  // ---- what was closed

  @Override
  public boolean asksEpoll() {
    return true;
  }

  @Override
  public boolean needsSweep() {
    return true;
  }

  @Override
  public boolean sweep(Consumer<Wait> gone) {
    if (sweepNext < 0) {
      sweepNext = table.size() - 1;
    }
    // Downwards: a slot that is freed is filled by one that was looked at before.
    sweepNext = Math.min(sweepNext, table.size() - 1);
    for (int left = SWEPT; left > 0 && sweepNext >= 0; left--) {
      Waited waited = table.at(sweepNext--);
      if (waited.armed != 0 && waited.pending < 0 && !waited.isEmpty()) {
        question.set(wanted(waited), waited.fd, waited.number);
        int result = control(EPOLL_CTL_MOD, waited.fd);
        if (result < 0) {
          table.handOut(waited, Wait.NOT_OPEN, true, gone);
          forget(waited);
          freeIfEmpty(waited);
        }
      }
    }
    return sweepNext >= 0;
  }

  @Override
  public void close() {
    question.close();
    answers.close();
    closing.lock();
    try {
      closed = true;
      if (epollFd >= 0) {
        kernel.close(epollFd);
        epollFd = -1;
      }
    } finally {
      closing.unlock();
    }
  }

  /** Any thread. */
  boolean isClosed() {
    return closed;
  }

  /** Takes a registration out of the instance, if there still is one. Any thread. */
  void delete(int fd) {
    closing.lock();
    try {
      if (epollFd >= 0) {
        kernel.epollCtl(epollFd, EPOLL_CTL_DEL, fd, MemorySegment.NULL);
      }
    } finally {
      closing.unlock();
    }
  }
}
