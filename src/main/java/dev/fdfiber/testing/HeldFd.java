package dev.fdfiber.testing;

import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;

/**
 * A descriptor that the harness opened: by what it is, it is told from a later one of its number.
 */
record HeldFd(int fd, String target) {
  static HeldFd of(int fd) {
    return new HeldFd(fd, OpenFds.target(fd));
  }

  /** Closes it, unless the test did; what has the number since then is left alone. */
  void close() {
    if (isOpen()) {
      Scheduler.closing(fd);
      Kernel.system().close(fd);
    }
  }

  boolean isOpen() {
    return !target.isEmpty() && OpenFds.target(fd).equals(target);
  }
}
