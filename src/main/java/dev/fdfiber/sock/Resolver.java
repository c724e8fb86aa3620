package dev.fdfiber.sock;

import dev.fdfiber.Scheduler;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Addresses of hosts. A lookup blocks in the C library, so one that a fiber makes runs on a
 * platform thread while the fiber is parked; an address that is written out needs no lookup.
 */
final class Resolver {
  private static final int THREADS = 4;

  private Resolver() {}

  static InetAddress[] resolve(String host) throws IOException {
    try {
      return new InetAddress[] {InetAddress.ofLiteral(host)};
    } catch (IllegalArgumentException e) {
      return Scheduler.inFiber() ? parked(host) : InetAddress.getAllByName(host);
    }
  }

  private static InetAddress[] parked(String host) throws IOException {
    Future<InetAddress[]> lookup = Pool.THREADS.submit(() -> InetAddress.getAllByName(host));
    try {
      return lookup.get();
    } catch (InterruptedException e) {
      lookup.cancel(true);
      Thread.currentThread().interrupt();
      InterruptedIOException io = new InterruptedIOException("lookup of " + host + ": cancelled");
      io.initCause(e);
      throw io;
    } catch (ExecutionException e) {
      UnknownHostException unknown = new UnknownHostException(host + " does not resolve");
      unknown.initCause(e.getCause());
      throw unknown;
    }
  }

  private static final class Pool {
    static final ThreadPoolExecutor THREADS = make();

    private static ThreadPoolExecutor make() {
      ThreadPoolExecutor pool =
          new ThreadPoolExecutor(
              Resolver.THREADS,
              Resolver.THREADS,
              10,
              TimeUnit.SECONDS,
              new LinkedBlockingQueue<>(),
              task -> Thread.ofPlatform().daemon().name("fdfiber-resolver").unstarted(task));
      pool.allowCoreThreadTimeOut(true);
      return pool;
    }
  }
}
