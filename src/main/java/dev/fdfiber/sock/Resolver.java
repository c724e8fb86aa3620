package dev.fdfiber.sock;

import dev.fdfiber.Scheduler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.ExecutionException;

/**
 * Addresses of hosts. A lookup blocks in the C library, so one that a fiber makes runs on a
 * platform thread while the fiber is parked; an address that is written out needs no lookup.
 */
final class Resolver {
  private Resolver() {}

  static InetAddress[] resolve(String host) throws IOException {
    try {
      return new InetAddress[] {InetAddress.ofLiteral(host)};
    } catch (IllegalArgumentException e) {
      return Scheduler.inFiber() ? parked(host) : InetAddress.getAllByName(host);
    }
  }

  private static InetAddress[] parked(String host) throws IOException {
    try {
      return HelperThreads.call("lookup of " + host, () -> InetAddress.getAllByName(host));
    } catch (ExecutionException e) {
      UnknownHostException unknown = new UnknownHostException(host + " does not resolve");
      unknown.initCause(e.getCause());
      throw unknown;
    }
  }
}
