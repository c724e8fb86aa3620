package dev.fdfiber.bench;

import dev.fdfiber.Scheduler;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** {@link Timers} of one peer: prints nanoseconds of CPU per timer. */
final class TimersProgram {
  private TimersProgram() {}

  /** One peer's way to let many timers expire. */
  @FunctionalInterface
  private interface Peer {
    void sleepAll(int count) throws Exception;
  }

  /** Arguments: peer, how many timers, how many repetitions. */
  public static void main(String[] args) throws Exception {
    Peer peer =
        switch (args[0]) {
          case "fdfiber" -> fibers();
          case "virtual" -> TimersProgram::threads;
          case "netty" -> netty();
          default -> throw new IllegalArgumentException(args[0]);
        };
    int count = Integer.parseInt(args[1]);
    int repetitions = Integer.parseInt(args[2]);
    for (int i = 0; i < repetitions; i++) {
      peer.sleepAll(count);
    }
    double[] results = new double[repetitions];
    for (int i = 0; i < repetitions; i++) {
      long start = Program.cpuNanos();
      peer.sleepAll(count);
      results[i] = (double) (Program.cpuNanos() - start) / count;
    }
    System.out.println(Spread.of(results).median());
    System.exit(0); // event loops live on
  }

  private static long millis(int i) {
    return 1 + i * 7919L % 100;
  }

  private static Peer fibers() {
    Scheduler scheduler = Scheduler.create();
    return count -> {
      for (int i = 0; i < count; i++) {
        double seconds = millis(i) / 1e3;
        scheduler.spawn(() -> Scheduler.pause(seconds));
      }
      scheduler.run();
    };
  }

  private static void threads(int count) throws InterruptedException {
    CountDownLatch ended = new CountDownLatch(count);
    for (int i = 0; i < count; i++) {
      long millis = millis(i);
      Thread.startVirtualThread(() -> {
        try {
          Thread.sleep(millis);
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
        ended.countDown();
      });
    }
    ended.await();
  }

  /** Callbacks, which have no stack. */
  private static Peer netty() {
    EventLoop loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory()).next();
    return count -> {
      CountDownLatch ended = new CountDownLatch(count);
      loop.execute(() -> {
        for (int i = 0; i < count; i++) {
          loop.schedule(ended::countDown, millis(i), TimeUnit.MILLISECONDS);
        }
      });
      ended.await();
    };
  }
}
