package dev.fdfiber.examples;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Optional;

/**
 * One request and its answer, in straight lines. A client that leaves is nothing to report; what a
 * handler throws is: the client gets a 500, and the exception goes on to the scheduler, which logs
 * it with the fiber's name and runs the others on.
 */
final class Connection {
  private static final double LINGER_SECONDS = 2;
  private static final int MAX_UNREAD = 1024 * 1024;

  private final int fd;
  private final Options options;

  Connection(int fd, Options options) {
    this.fd = fd;
    this.options = options;
  }

  /** Serves the one request of this connection; its descriptor is left to the caller to close. */
  void serve(Routes routes) throws Exception {
    try {
      answer(routes);
      linger();
    } catch (ErrnoException e) {
      if (!isGone(e)) {
        throw e;
      }
    }
  }

  private void answer(Routes routes) throws Exception {
    Optional<Request> request;
    try {
      request = Request.read(fd, options);
    } catch (Request.Refused e) {
      refuse(e).send(fd, false);
      return;
    }
    if (request.isPresent()) {
      respond(routes, request.get()).send(fd, request.get().isHead());
    }
  }

  private Response respond(Routes routes, Request request) throws Exception {
    try {
      return routes.answer(request);
    } catch (Request.Refused e) {
      return refuse(e);
    } catch (InterruptedException | InterruptedIOException cancelled) {
      throw cancelled;
    } catch (Exception | Error e) {
      tellFailed(request, e);
      throw e;
    }
  }

  private void tellFailed(Request request, Throwable failure) {
    try {
      Response.text(500, "this went wrong\n").send(fd, request.isHead());
    } catch (Exception e) {
      failure.addSuppressed(e);
    }
  }

  private static Response refuse(Request.Refused e) {
    return Response.text(e.status, e.getMessage() + "\n");
  }

  private static boolean isGone(ErrnoException e) {
    return switch (e.errno()) {
      case Errno.EPIPE, Errno.ECONNRESET, Errno.ENOTCONN, Errno.ETIMEDOUT -> true;
      default -> false;
    };
  }

  /**
   * Lets the client read the answer before the descriptor is closed: to close a socket with bytes
   * that were never read, such as a body, resets the connection, and the answer is lost.
   */
  private void linger() throws IOException, InterruptedException {
    Scheduler.current().kernel().shutdown(fd, Linux.SHUT_WR);
    long end = System.nanoTime() + (long) (LINGER_SECONDS * 1e9);
    for (int unread = 0; unread < MAX_UNREAD; ) {
      double left = (end - System.nanoTime()) / 1e9;
      if (left <= 0 || Scheduler.ioWait(fd, Scheduler.READ, left) == 0) {
        return;
      }
      byte[] some = Sock.recvSome(fd, 0);
      if (some.length == 0) {
        return;
      }
      unread += some.length;
    }
  }
}
