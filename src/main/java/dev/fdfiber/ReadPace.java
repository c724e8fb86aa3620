package dev.fdfiber;

import dev.fdfiber.poller.Registration;
import org.jspecify.annotations.Nullable;

/**
 * Whether a channel reads first or waits first. A read that finds nothing costs as much as a good
 * part of a wait. After a read that took less than it had room for there is probably nothing left;
 * with request and answer it stays so until the wait, and waiting first saves that read, while on a
 * busy stream more has come by then. The channel learns which it has, and looks again now and then.
 *
 * <p>A level-triggered wait is right either way. A {@link Registration} is told of edges, so there
 * a wait may come first only where a short read does prove that nothing is left, in pipes and TCP
 * (read(2), epoll(7)), and nothing was told since.
 */
final class ReadPace {
  private static final int SURE = 2;
  private static final int PROBE = 64;

  private final boolean shortMeansEmpty;
  private boolean drained;
  private int score; // how often reading first found nothing, lately
  private int waits;

  ReadPace(boolean shortMeansEmpty) {
    this.shortMeansEmpty = shortMeansEmpty;
  }

  /** If the next read is to wait before it tries. */
  boolean waitsFirst(@Nullable Registration registration) {
    if (!drained || score < SURE) {
      return false;
    }
    if (registration != null
        && (!shortMeansEmpty || registration.isClosing() || registration.hasSeen(Scheduler.READ))) {
      return false;
    }
    if (++waits < PROBE) {
      return true;
    }
    waits = 0;
    return false;
  }

  /**
   * A read is over: it had room for so many bytes and took {@code count}, or minus errno, after a
   * wait or without one.
   */
  void read(long count, int room, boolean waited) {
    if (drained && !waited) {
      score = count >= 0 ? 0 : Math.min(score + 1, SURE);
    }
    drained = count < room;
  }
}
