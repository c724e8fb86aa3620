package dev.fdfiber;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.poller.AdaptivePoller;
import dev.fdfiber.poller.EpollPoller;
import dev.fdfiber.poller.PollPoller;
import dev.fdfiber.poller.Poller;
import java.util.Locale;

/** The way in which a scheduler asks the kernel who is ready. */
public enum PollerKind {
  /**
   * poll(2) while few descriptors are waited for; with many, poll(2) for new waits and epoll(7).
   */
  AUTO {
    @Override
    Poller over(Kernel kernel) {
      return new AdaptivePoller(kernel);
    }
  },

  /** poll(2), as ppoll: a wait costs nothing, a look costs about 30 ns for each descriptor. */
  POLL {
    @Override
    Poller over(Kernel kernel) {
      return new PollPoller(kernel);
    }
  },

  /** epoll(7): a wait costs a system call, a look costs what is ready. */
  EPOLL {
    @Override
    Poller over(Kernel kernel) {
      return new EpollPoller(kernel);
    }
  };

  private static final String PROPERTY = "dev.fdfiber.poller";

  abstract Poller over(Kernel kernel);

  /** What a builder that is not told otherwise takes. */
  static PollerKind byDefault() {
    String name = System.getProperty(PROPERTY, "auto").toUpperCase(Locale.ROOT);
    for (PollerKind kind : values()) {
      if (kind.name().equals(name)) {
        return kind;
      }
    }
    throw new IllegalArgumentException("-D" + PROPERTY + "=" + name + "; give auto, poll or epoll");
  }
}
