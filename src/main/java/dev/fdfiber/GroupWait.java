package dev.fdfiber;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.poller.Poller;
import dev.fdfiber.poller.Wait;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One fiber's wait for several descriptors at once: a member for each of them, which the poller
 * holds like any other wait. It is over when one member is; those that the same look sees too have
 * seen something as well, and the rest is taken off before the fiber goes on.
 */
final class GroupWait {
  /** The wait for one of the descriptors. */
  static final class Member extends Wait {
    final @Nullable Task task;
    private boolean closed;

    Member(@Nullable Task task) {
      this.task = task;
    }

    /** It was closed, and what has the number now is another file. */
    void closed() {
      closed = true;
    }

    private int seen() {
      return closed ? NOT_OPEN : ready();
    }
  }

  private final int[] fds;
  private final int[] modes;
  private final Map<Integer, Member> members = new LinkedHashMap<>();

  /** The waits of the task, or outside a fiber of nobody. */
  GroupWait(@Nullable Task task, int[] fds, int[] modes) {
    this.fds = fds.clone();
    this.modes = modes.clone();
    for (int i = 0; i < fds.length; i++) {
      Member member = members.computeIfAbsent(fds[i], fd -> new Member(task));
      member.ask(fds[i], member.mode() | modes[i], 0);
    }
  }

  /** Registers every member; false if one of them is over already, as its descriptor is none. */
  boolean addTo(Poller poller, long order) throws ErrnoException {
    boolean all = true;
    for (Member member : members.values()) {
      member.ask(member.fd(), member.mode(), order);
      int result = member.fd() < 0 ? -Errno.EBADF : poller.add(member);
      if (result == -Errno.EBADF) {
        member.closed();
        all = false;
      } else if (result < 0) {
        removeFrom(poller);
        throw new ErrnoException("ioWaitAny", member.fd(), -result);
      }
    }
    return all;
  }

  /** Takes off what is still registered. */
  void removeFrom(Poller poller) {
    for (Member member : members.values()) {
      if (member.isRegistered()) {
        poller.remove(member);
      }
    }
  }

  @Nullable Member member(int fd) {
    return members.get(fd);
  }

  /** The descriptors; any thread. */
  List<Integer> fds() {
    return List.copyOf(members.keySet());
  }

  Iterable<Member> members() {
    return members.values();
  }

  /** What was seen, in the order of the question: bits of the mode, or -1 for an error. */
  int[] seen() {
    int[] seen = new int[fds.length];
    for (int i = 0; i < fds.length; i++) {
      Member member = members.get(fds[i]);
      int bits = member == null ? 0 : member.seen();
      seen[i] = bits < 0 ? -1 : bits & modes[i];
    }
    return seen;
  }
}
