package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.sock.Sock;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/** Four bugs that tests miss: first in, first out hides the first three, a real kernel the last. */
final class PlantedBugs {
  private PlantedBugs() {}

  /** A mailbox whose owner looks, writes a line to its log, and only then says that it waits. */
  static void lostWakeUp(Scheduler scheduler, Pipe log) {
    Deque<String> mail = new ArrayDeque<>();
    Thread[] waiter = new Thread[1];
    scheduler.spawn(
        "sender",
        () -> {
          mail.add("hello");
          LockSupport.unpark(waiter[0]);
        });
    scheduler.spawn(
        "owner",
        () -> {
          while (mail.isEmpty()) {
            Scheduler.ioWait(log.writeFd(), Scheduler.WRITE, 5); // a log that may be slow
            waiter[0] = Thread.currentThread();
            LockSupport.park();
          }
        });
    scheduler.run();
  }

  /** An account from which two take what only one can have: the second looks a bit later. */
  static void checkThenAct(Scheduler scheduler, Pipe log) {
    int[] balance = {100};
    scheduler.spawn("first", () -> withdraw(balance, log));
    scheduler.spawn(
        "second",
        () -> {
          Scheduler.ioWait(log.writeFd(), Scheduler.WRITE, 5);
          Scheduler.pause(0);
          withdraw(balance, log);
        });
    scheduler.run();
    assertThat(balance[0]).isNotNegative();
  }

  private static void withdraw(int[] balance, Pipe log) throws Exception {
    if (balance[0] >= 100) {
      Scheduler.ioWait(log.writeFd(), Scheduler.WRITE, 5);
      balance[0] -= 100;
    }
  }

  /** Two locks, taken in one order here and in the other there, with a park in between. */
  static void lockOrder(Scheduler scheduler, Pipe log) {
    ReentrantLock a = new ReentrantLock();
    ReentrantLock b = new ReentrantLock();
    scheduler.spawn("forwards", () -> both(a, b, log));
    scheduler.spawn(
        "backwards",
        () -> {
          Scheduler.ioWait(log.writeFd(), Scheduler.WRITE, 5);
          Scheduler.pause(0);
          both(b, a, log);
        });
    scheduler.run();
  }

  @SuppressWarnings("LockNotBeforeTry") // nothing to do while both are held
  private static void both(ReentrantLock first, ReentrantLock second, Pipe log) throws Exception {
    first.lock();
    try {
      Scheduler.ioWait(log.writeFd(), Scheduler.WRITE, 5);
      second.lockInterruptibly();
      second.unlock();
    } finally {
      first.unlock();
    }
  }

  /** A writer that takes it for granted that a write writes all. */
  static void partialWrite(Scheduler scheduler, SocketPair pair) {
    byte[][] got = new byte[1][];
    scheduler.spawn(
        "writer",
        () -> {
          Kernel kernel = scheduler.kernel();
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom("hello, world");
            while (kernel.write(pair.a(), text, 12) < 0) { // it does know EINTR and EAGAIN
              Scheduler.ioWait(pair.a(), Scheduler.WRITE, 5);
            }
          }
          Sock.close(pair.a());
        });
    scheduler.spawn("reader", () -> got[0] = Sock.recvAll(pair.b(), 0));
    scheduler.run();
    assertThat(got[0]).asString().isEqualTo("hello, world");
  }
}
