package dev.fdfiber.poller;

/** A wait that nobody makes: for the tests of what keeps waits. */
final class PlainWait extends Wait {
  PlainWait(int fd, int mode, long order) {
    ask(fd, mode, order);
  }

  @Override
  public String toString() {
    return "wait " + order();
  }
}
