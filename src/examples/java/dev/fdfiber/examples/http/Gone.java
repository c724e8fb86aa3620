package dev.fdfiber.examples.http;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.kernel.Errno;
import java.io.IOException;

/** Which failures of a call on a connection mean that the client has left. */
final class Gone {
  private Gone() {}

  /** A {@link ClientGoneException} if it says that, else the exception itself. */
  static IOException orSame(IOException e) {
    return e instanceof ErrnoException errno && isGone(errno.errno())
        ? new ClientGoneException(e)
        : e;
  }

  private static boolean isGone(int errno) {
    return switch (errno) {
      case Errno.EPIPE, Errno.ECONNRESET, Errno.ENOTCONN, Errno.ETIMEDOUT, Errno.EHOSTUNREACH ->
          true;
      default -> false;
    };
  }
}
