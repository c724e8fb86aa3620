package dev.fdfiber;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.poller.PollPoller;
import dev.fdfiber.poller.Poller;

/** The way in which a scheduler asks the kernel who is ready. */
public enum PollerKind {
  /** poll(2), as ppoll: a wait costs nothing, a look costs about 30 ns for each descriptor. */
  POLL {
    @Override
    Poller over(Kernel kernel) {
      return new PollPoller(kernel);
    }
  };

  abstract Poller over(Kernel kernel);
}
