package dev.fdfiber.examples.http;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.kernel.Errno;
import java.io.EOFException;
import java.io.IOException;
import javax.net.ssl.SSLException;

/** Which failures of a call on a connection mean that the client has left. */
final class Gone {
  private Gone() {}

  /** A {@link ClientGoneException} if it says that, else the exception itself. */
  static IOException orSame(IOException e) {
    boolean isGone =
        e instanceof ErrnoException errno
            ? isGone(errno.errno())
            : e instanceof SSLException || e instanceof EOFException; // no TLS any more
    return isGone ? new ClientGoneException(e) : e;
  }

  private static boolean isGone(int errno) {
    return switch (errno) {
      case Errno.EPIPE, Errno.ECONNRESET, Errno.ENOTCONN, Errno.ETIMEDOUT, Errno.EHOSTUNREACH ->
          true;
      default -> false;
    };
  }
}
