package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.Blocking;
import dev.fdfiber.Fiber;
import dev.fdfiber.FiberInfo;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.sock.Sock;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;

/** Virtual time over real descriptors, closed worlds and deadlocks. */
class VirtualTimeTest {
  static class Failing {
    @FdTest
    void sleeps(Scheduler scheduler, VirtualClock clock) {
      scheduler.spawn("sleeper", () -> Thread.sleep(100_000)); // sleeps on purpose
      scheduler.run();
    }

    @FdTest
    void deadlock(Scheduler scheduler, Pipe pipe, SocketPair pair) {
      scheduler.spawn("reader", () -> Sock.recvSome(pipe.readFd(), 0));
      scheduler.spawn(
          "writer",
          () -> {
            Sock.writeStr(pipe.writeFd(), "");
            Fds.fill(pair.a());
            Sock.writeStr(pair.a(), "x");
          });
      scheduler.spawn(
          "peer",
          () -> {
            Sock.writeStr(pair.b(), "x");
            LockSupport.park();
          });
      scheduler.run();
    }
  }

  static class Locked {
    @FdTest
    void endsWithItsLock(Scheduler scheduler) {
      ReentrantLock left = new ReentrantLock();
      ReentrantLock right = new ReentrantLock();
      ReentrantLock leftBehind = new ReentrantLock();
      scheduler.spawn("a", () -> takes(left, right));
      scheduler.spawn("b", () -> takes(right, left));
      scheduler.spawn("thief", leftBehind::lock);
      scheduler.spawn("c", leftBehind::lockInterruptibly);
      scheduler.run();
    }

    private static void takes(ReentrantLock first, ReentrantLock second) throws Exception {
      first.lockInterruptibly();
      try {
        Scheduler.pause(0);
        second.lockInterruptibly();
      } finally {
        first.unlock();
      }
    }
  }

  @FdTest
  void deadlock_tellsWhoHoldsTheLock() {
    assertThat(Launched.run(Locked.class, "endsWithItsLock").failure())
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining("the lock is held by fiber \"a\"")
        .hasMessageContaining("the lock is held by fiber \"b\"")
        .hasMessageContaining("the lock is held by thread \"thief\", which has ended");
  }

  @FdTest
  void anHourOfPauses_takesNoTime(Scheduler scheduler, VirtualClock clock) {
    long start = System.nanoTime();
    scheduler.spawn(() -> {
      for (int i = 0; i < 3600; i++) {
        Scheduler.pause(1);
      }
    });
    scheduler.run();
    assertThat(clock.elapsed()).isEqualTo(Duration.ofHours(1));
    assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
  }

  @FdTest
  void timersAndDescriptors_expireExactly_inTheirOrder(
      Scheduler scheduler, VirtualClock clock, Pipe pipe, SocketPair pair) {
    List<String> log = new ArrayList<>();
    scheduler.spawn(() -> {
      assertThat(Scheduler.ioWait(pipe.readFd(), Scheduler.READ, 5)).isZero();
      log.add("pipe " + clock.elapsed());
    });
    scheduler.spawn(() -> {
      assertThat(Scheduler.ioWait(pair.a(), Scheduler.READ, 60)).isOne();
      log.add("pair " + clock.elapsed());
    });
    scheduler.spawn(() -> {
      Scheduler.pause(7.25);
      Fds.write(pair.b(), "x");
    });
    scheduler.run();
    assertThat(log).containsExactly("pipe PT5S", "pair PT7.25S");
    assertThat(clock.heldBy()).isEmpty();
  }

  @FdTest
  void runFor_endsAtItsTime(Scheduler scheduler, VirtualClock clock, Listener listener) {
    Fiber fiber = scheduler.spawn(() -> Sock.accept(listener.fd()));
    scheduler.runFor(Duration.ofDays(1));
    assertThat(clock.elapsed()).isEqualTo(Duration.ofDays(1));
    Fds.assertBlocked(fiber);
    scheduler.clear();
  }

  @FdTest
  void tcp_worksWithoutLosingTime(Scheduler scheduler, VirtualClock clock, Listener listener) {
    scheduler.spawn(() -> {
      int fd = Sock.accept(listener.fd());
      for (int i = 0; i < 20; i++) {
        assertThat(Sock.recvSome(fd, 0)).isNotEmpty();
        Scheduler.pause(1);
        Sock.writeStr(fd, "pong");
      }
      Sock.close(fd);
    });
    scheduler.spawn(() -> {
      int fd = Sock.connect(listener.host(), listener.port(), Duration.ofSeconds(1));
      for (int i = 0; i < 20; i++) {
        Sock.writeStr(fd, "ping");
        assertThat(Scheduler.ioWait(fd, Scheduler.READ, 1.5)).isOne();
        Sock.recvSome(fd, 0);
      }
      assertThat(Sock.recvSome(fd, 0)).isEmpty();
      Sock.close(fd);
    });
    scheduler.run();
    assertThat(clock.elapsed()).isEqualTo(Duration.ofSeconds(20));
  }

  @FdTest
  void fiberBlockedInTheJdk_doesNotHoldTheClock(Scheduler scheduler, VirtualClock clock) {
    LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
    scheduler.spawn(() -> assertThat(queue.take()).isEqualTo("x"));
    scheduler.spawn(() -> {
      Scheduler.pause(3600);
      queue.put("x");
    });
    scheduler.run();
    assertThat(clock.elapsed()).isEqualTo(Duration.ofHours(1));
  }

  @FdTest
  void callOnAHelperThread_holdsTheClock_andIsNamed(Scheduler scheduler, VirtualClock clock) {
    List<String> log = new ArrayList<>();
    scheduler.spawn(
        "caller",
        () -> {
          String holder =
              Blocking.call(() -> {
                while (clock.heldBy().isEmpty()) {
                  Thread.onSpinWait();
                }
                return clock.heldBy().orElseThrow();
              });
          log.add(holder + ", until " + clock.elapsed());
        });
    scheduler.spawn(() -> {
      Scheduler.pause(3600);
      log.add("paused until " + clock.elapsed());
    });
    scheduler.run();
    assertThat(log)
        .containsExactly(
            "fiber \"caller\" waits for a helper thread, until PT0S", "paused until PT1H");
  }

  @FdTest
  void threadSleep_isRefused() {
    assertThat(Launched.run(Failing.class, "sleeps").failure())
        .hasMessageContaining("fiber \"sleeper\" is in Thread.sleep")
        .hasMessageContaining("VirtualTimeTest$Failing.lambda$sleeps");
  }

  @FdTest
  void deadlock_tellsWhoWaitsForWhat_andWhoHasTheOtherEnd() {
    Throwable failure = Launched.run(Failing.class, "deadlock").failure();
    assertThat(failure)
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining("deadlock: 3 fibers wait, no timer runs")
        .hasMessageContaining("fiber \"reader\" waits for pipe.readFd (fd ")
        .hasMessageContaining("the other end is pipe.writeFd (fd ")
        .hasMessageContaining("fiber \"writer\" waits for pair.a (fd ")
        .hasMessageContaining("last used by fiber \"peer\"")
        .hasMessageContaining("fiber \"peer\" is blocked in the JDK");
    assertThat(failure.getSuppressed()[0]).hasMessageContaining("peer blocks");
  }

  @FdTest
  void anotherThread_mayUseTheOtherEnd_andSoItIsNoDeadlock(Scheduler scheduler, Pipe pipe)
      throws Exception {
    Thread driver = Thread.currentThread();
    Fiber reader = scheduler.spawn(() -> assertThat(Sock.recvSome(pipe.readFd(), 0)).hasSize(1));
    Elsewhere<Void> writer =
        Elsewhere.begin(() -> {
          while (reader.isAlive() && !isIn("ppoll", driver)) {
            Thread.onSpinWait();
          }
          Fds.write(pipe.writeFd(), "x");
        });
    scheduler.run();
    writer.result();
  }

  @FdTest
  void socketOfTheJdk_hasAnotherThreadThatWakes(Scheduler scheduler, Uncaught uncaught)
      throws Exception {
    World world = new World(OpenFds.now());
    try (ServerSocket server = new ServerSocket(0)) {
      Fiber accepts = scheduler.spawn(server::accept);
      Fiber parks = scheduler.spawn(LockSupport::park);
      scheduler.runUntilEmpty();
      assertThat(scheduler.fibers())
          .filteredOn(world::isWokenByTheJdk)
          .extracting(FiberInfo::name)
          .containsExactly(accepts.name());
      assertThat(parks.isAlive()).isTrue();
      scheduler.clear();
      assertThat(uncaught.of(accepts.name())).get().asString().contains("Closed by interrupt");
    }
  }

  @FdTest(limitSeconds = 300)
  @Tag("slow")
  void wakeUpByAnotherThread_whileStacksAreTaken_isNotLost(Scheduler scheduler) throws Exception {
    for (int round = 0; round < 1000; round++) {
      LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
      CountDownLatch parks = new CountDownLatch(1);
      int spins = round * 100;
      scheduler.spawn(() -> {
        parks.countDown();
        queue.take();
      });
      Elsewhere<Void> other =
          Elsewhere.begin(() -> {
            parks.await();
            for (int i = 0; i < spins; i++) {
              Thread.onSpinWait();
            }
            queue.put("x");
          });
      scheduler.run();
      other.result();
    }
  }

  @FdTest
  void deadlock_isFound_thoughAThreadThatMightHaveEndedItWasThereAtFirst(Scheduler scheduler)
      throws Exception {
    Thread driver = Thread.currentThread();
    Fiber waits = scheduler.spawn("waits", () -> new CountDownLatch(1).await());
    Elsewhere<Void> idler =
        Elsewhere.begin(() -> {
          while (!isIn("block", driver)) { // of Waits
            Thread.onSpinWait();
          }
        });
    assertThatThrownBy(scheduler::run)
        .isInstanceOf(DeadlockError.class)
        .hasMessageContaining("fiber \"waits\"");
    idler.result();
    scheduler.clear();
    assertThat(waits.isAlive()).isFalse();
  }

  @FdTest
  void workThatGoesFromThreadToThread_isNotMissed(Scheduler scheduler) {
    List<ExecutorService> ring =
        Stream.generate(Executors::newSingleThreadExecutor).limit(16).toList();
    try {
      for (int round = 0; round < 300; round++) {
        CompletableFuture<String> end = new CompletableFuture<>();
        Fiber waits = scheduler.spawn(end::get);
        passOn(ring, 100, end);
        scheduler.run();
        assertThat(waits.failure()).isEmpty();
      }
    } finally {
      ring.forEach(ExecutorService::close);
    }
  }

  /** Whoever has passed it on waits for work, as an idle thread does. */
  private static void passOn(List<ExecutorService> ring, int times, CompletableFuture<String> end) {
    if (times == 0) {
      end.complete("there");
    } else {
      ring.get(times % ring.size()).execute(() -> passOn(ring, times - 1, end));
    }
  }

  private static boolean isIn(String method, Thread thread) {
    return Arrays.stream(thread.getStackTrace()).anyMatch(f -> f.getMethodName().equals(method));
  }

  @FdTest
  void descriptorFromOutside_holdsTheClock_andIsNamed(Scheduler scheduler, VirtualClock clock)
      throws Exception {
    int timer = Kernel.system().timerfdCreate(1, Linux.O_NONBLOCK | Linux.O_CLOEXEC);
    scheduler.spawn("listening", () -> Scheduler.ioWait(timer, Scheduler.READ, 3600));
    Elsewhere<Void> stopper =
        Elsewhere.begin(() -> {
          while (clock.heldBy().isEmpty()) {
            Thread.onSpinWait();
          }
          scheduler.stop();
        });
    scheduler.run();
    stopper.result();
    assertThat(clock.heldBy())
        .get()
        .asString()
        .contains("fiber \"listening\" waits for fd " + timer, "behind which is the kernel");
    assertThat(clock.elapsed()).isZero();
    scheduler.clear();
    Fds.close(timer);
  }

  @FdTest
  void descriptorsFromOutside_areTold(Scheduler scheduler, VirtualClock clock) throws Exception {
    World world = new World(OpenFds.now());
    int timer = Kernel.system().timerfdCreate(1, Linux.O_NONBLOCK | Linux.O_CLOEXEC);
    scheduler.spawn(() -> Scheduler.ioWait(timer, Scheduler.READ, -1));
    scheduler.runUntilEmpty();
    assertThat(world.openings(scheduler.fibers(), 0)).get().asString().contains("timerfd");
    scheduler.clear();
    try (Pipe mine = Pipe.open()) {
      scheduler.spawn(() -> Scheduler.ioWait(mine.readFd(), Scheduler.READ, -1));
      scheduler.runUntilEmpty();
      assertThat(world.openings(scheduler.fibers(), 0)).isEmpty();
      assertThat(new World(OpenFds.now()).openings(scheduler.fibers(), 0))
          .get()
          .asString()
          .contains("was open before the test");
      Process child = new ProcessBuilder("cat").start();
      assertThat(world.openings(scheduler.fibers(), 0)).get().asString().contains("child process");
      child.getOutputStream().close();
      child.waitFor();
      child.getInputStream().close();
      child.getErrorStream().close();
      scheduler.clear();
    }
    Fds.close(timer);
  }

  @FdTest
  void advance_movesTimeByHand_andNotBack(Scheduler scheduler, VirtualClock clock) {
    Fiber fiber = scheduler.spawn(() -> Scheduler.pause(10));
    scheduler.runUntilEmpty();
    clock.advance(Duration.ofSeconds(9));
    scheduler.runUntilEmpty();
    assertThat(fiber.isAlive()).isTrue();
    clock.advance(Duration.ofSeconds(1));
    scheduler.runUntilEmpty();
    assertThat(fiber.isAlive()).isFalse();
    assertThatThrownBy(() -> clock.advance(Duration.ofSeconds(-1)))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
