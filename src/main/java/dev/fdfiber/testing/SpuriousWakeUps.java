package dev.fdfiber.testing;

import static dev.fdfiber.kernel.EpollEvents.EPOLLET;
import static dev.fdfiber.kernel.EpollEvents.EPOLLIN;
import static dev.fdfiber.kernel.EpollEvents.EPOLLONESHOT;
import static dev.fdfiber.kernel.EpollEvents.EPOLLOUT;
import static dev.fdfiber.kernel.EpollEvents.EPOLL_CTL_DEL;
import static dev.fdfiber.kernel.EpollEvents.EPOLL_CTL_MOD;

import dev.fdfiber.kernel.EpollEvents;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.PollFds;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Looks of the driver that say that a descriptor is ready although nothing is there.
 *
 * <p>poll(2) is told with each look what is asked, and answers just there. epoll(7) keeps what it
 * is asked, so the calls of epoll_ctl(2) are followed, and only what was asked is answered, with
 * the data that came with the question. One that is answered once, {@code EPOLLONESHOT}, is
 * disarmed as if the kernel had answered: it is asked about nothing from then on. It would still
 * tell of a hang-up or an error, which a disarmed one does not, so that is held back. Whoever asks
 * again is told as ever, since the kernel looks anew with each {@code EPOLL_CTL_MOD}; and what that
 * does not find is not known any more, and not answered.
 */
final class SpuriousWakeUps {
  private static final int BOTH = EPOLLIN | EPOLLOUT;

  private record Asked(int epollFd, int fd) {}

  /** What the kernel keeps of a question. */
  private record Question(int events, int number) {
    static Question of(MemorySegment event) {
      return new Question(EpollEvents.events(event, 0), EpollEvents.number(event, 0));
    }

    boolean isArmed() {
      return (events & BOTH) != 0;
    }

    /** What is left of it when it was answered. */
    Question answered() {
      boolean once = (events & EPOLLONESHOT) != 0;
      return once ? new Question(events & (EPOLLONESHOT | EPOLLET), number) : this;
    }
  }

  private final @Nullable Choices choices;
  private final @Nullable Trace trace;
  private final IntPredicate isWaitedFor;
  private final Set<Integer> next = new HashSet<>();
  private final Map<Asked, Question> questions = new LinkedHashMap<>(); // guarded by itself
  private double rate;

  /**
   * None yet.
   *
   * @param isWaitedFor if a fiber waits for a descriptor
   */
  SpuriousWakeUps(@Nullable Choices choices, @Nullable Trace trace, IntPredicate isWaitedFor) {
    this.choices = choices;
    this.trace = trace;
    this.isWaitedFor = isWaitedFor;
  }

  /** One of that descriptor, in the next look that sees nothing there. */
  void next(int fd) {
    next.add(fd);
  }

  /** In so large a part of the looks of an exploration. */
  void atRandom(double part) {
    rate = part;
  }

  private int chosen(int of) {
    return choices == null || rate == 0 || of == 0 ? 0 : choices.fault(of, rate);
  }

  // ---- poll(2)

  /** A look of the driver. */
  long ppoll(SystemCall call) {
    long result = call.proceed();
    if (result < 0) {
      return result;
    }
    MemorySegment polls = (MemorySegment) call.argument(0);
    int count = (int) call.argument(1);
    for (int i = 0; i < count; i++) {
      int fd = PollFds.fd(polls, i);
      if (next.contains(fd) && suits(fd) && PollFds.feign(polls, i)) {
        next.remove(fd);
        told(fd, false);
        result++;
      }
    }
    int chosen = chosen(count);
    if (chosen > 0) {
      int fd = PollFds.fd(polls, chosen - 1);
      if (suits(fd) && PollFds.feign(polls, chosen - 1)) {
        told(fd, true);
        result++;
      }
    }
    return result;
  }

  // ---- epoll(7)

  /** A question to an epoll instance. Any thread. */
  long epollCtl(SystemCall call) {
    long result = call.proceed();
    Asked asked = new Asked((int) call.argument(0), (int) call.argument(2));
    boolean deletes = (int) call.argument(1) == EPOLL_CTL_DEL;
    synchronized (questions) {
      if (deletes || result == -Errno.ENOENT) {
        questions.remove(asked);
      } else if (result == 0) {
        questions.put(asked, Question.of((MemorySegment) call.argument(3)));
      }
    }
    return result;
  }

  /** A look of the driver. */
  long epollPwait2(SystemCall call) {
    long found = call.proceed();
    if (found < 0) {
      return found;
    }
    int epollFd = (int) call.argument(0);
    MemorySegment events = (MemorySegment) call.argument(1);
    int room = (int) call.argument(2);
    synchronized (questions) {
      Set<Asked> silent = armed(epollFd);
      int n = note(epollFd, events, (int) found, silent);
      for (Asked asked : List.copyOf(silent)) {
        boolean wanted = next.contains(asked.fd) && isWaitedFor.test(asked.fd);
        if (wanted && n < room && feigns(asked, events, n)) {
          next.remove(asked.fd);
          silent.remove(asked);
          told(asked.fd, false);
          n++;
        }
      }
      int chosen = chosen(silent.size());
      if (chosen > 0 && n < room) {
        Asked asked = new ArrayList<>(silent).get(chosen - 1);
        if (feigns(asked, events, n)) {
          told(asked.fd, true);
          n++;
        }
      }
      return n == 0 && found > 0 ? -Errno.EINTR : n; // as if a signal had come, not the time's end
    }
  }

  private Set<Asked> armed(int epollFd) {
    Set<Asked> armed = new LinkedHashSet<>();
    questions.forEach((asked, question) -> {
      if (asked.epollFd == epollFd && question.isArmed()) {
        armed.add(asked);
      }
    });
    return armed;
  }

  /** Takes those that were seen off the silent ones; returns how many events are left. */
  private int note(int epollFd, MemorySegment events, int found, Set<Asked> silent) {
    int kept = 0;
    for (int i = 0; i < found; i++) {
      Asked asked = new Asked(epollFd, EpollEvents.fd(events, i));
      Question question = questions.get(asked);
      boolean isKnown = question != null && question.number == EpollEvents.number(events, i);
      if (isKnown && question != null) {
        if (!question.isArmed()) {
          continue; // it was answered, and does not tell of a hang-up either
        }
        silent.remove(asked);
        questions.put(asked, question.answered());
      }
      EpollEvents.put(
          events, kept++, EpollEvents.events(events, i), asked.fd, EpollEvents.number(events, i));
    }
    return kept;
  }

  /** Answers a question as the kernel does, unless it does not know it any more. */
  private boolean feigns(Asked asked, MemorySegment events, int at) {
    Question question = questions.get(asked);
    if (question == null || !suits(asked.fd)) {
      return false;
    }
    Question left = question.answered();
    try (EpollEvents event = new EpollEvents(1)) {
      event.set(left.events, asked.fd, left.number);
      int result = Kernel.system().epollCtl(asked.epollFd, EPOLL_CTL_MOD, asked.fd, event.array());
      if (result < 0) {
        questions.remove(asked);
        return false;
      }
    }
    questions.put(asked, left);
    EpollEvents.put(events, at, question.events & BOTH, asked.fd, question.number);
    return true;
  }

  // ---- both

  /** Not one that blocks, whose reader would hold everybody; and not the scheduler's own. */
  private static boolean suits(int fd) {
    int flags = fd < 0 ? -1 : Kernel.system().fcntl(fd, Linux.F_GETFL, 0);
    return flags >= 0
        && (flags & Linux.O_NONBLOCK) != 0
        && !OpenFds.target(fd).equals("anon_inode:[eventfd]");
  }

  private void told(int fd, boolean isChosen) {
    if (trace != null) {
      String what = trace.name(fd) + " is said to be ready, and nothing is";
      if (choices != null && isChosen) {
        choices.describe(what);
      }
      trace.deviated(what);
    }
  }
}
