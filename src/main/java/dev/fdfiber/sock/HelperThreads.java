package dev.fdfiber.sock;

import dev.fdfiber.Blocking;
import java.io.InterruptedIOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

/** {@link Blocking} with the exceptions of this package. */
final class HelperThreads {
  private HelperThreads() {}

  /** Runs it on a platform thread for a fiber, else where the caller is. */
  static <T> T call(String what, Callable<T> body)
      throws ExecutionException, InterruptedIOException {
    try {
      return Blocking.call(body);
    } catch (InterruptedException e) {
      throw Io.cancelled(what, 0, e);
    } catch (Exception e) {
      throw new ExecutionException(e);
    }
  }
}
