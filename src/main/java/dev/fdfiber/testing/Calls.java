package dev.fdfiber.testing;

import dev.fdfiber.kernel.Errno;

/** How the harness makes its own calls: one that fails is an AssertionError. */
final class Calls {
  private Calls() {}

  static int check(int result, String call) {
    check((long) result, call);
    return result;
  }

  static long check(long result, String call) {
    if (result < 0) {
      int errno = (int) -result;
      throw new AssertionError(call + ": " + Errno.name(errno) + " (" + Errno.text(errno) + ")");
    }
    return result;
  }
}
