package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.examples.EpollHost;
import dev.fdfiber.examples.SwingGuest;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Pipe;
import java.awt.EventQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A scheduler that another loop drives: when its descriptor is readable, and when timers are due.
 */
@FdTest
class GuestTest {
  private static final Duration LONG = Duration.ofSeconds(50);

  /** Waits as a host does; true if the descriptor was readable. */
  private static boolean readable(int fd, Duration limit) throws Exception {
    return Scheduler.ioWait(fd, Scheduler.READ, limit) != 0;
  }

  @ParameterizedTest
  @EnumSource(value = PollerKind.class, names = "POLL", mode = EnumSource.Mode.EXCLUDE)
  void pollFd_isReadable_whenThereIsSomethingToDo(PollerKind kind, Pipe pipe) throws Exception {
    try (Scheduler s = Scheduler.builder().poller(kind).build()) {
      int fd = s.pollFd();
      assertThat(s.pollFd()).isEqualTo(fd);
      assertThat(readable(fd, Duration.ZERO)).isFalse();

      List<String> log = new ArrayList<>();
      s.spawn(() -> { // by the driver itself, between two driving calls
        log.add("began");
        Scheduler.ioWait(pipe.readFd(), Scheduler.READ, -1);
        log.add("saw " + Fds.read(pipe.readFd()));
      });
      assertThat(readable(fd, LONG)).isTrue();
      assertThat(s.nextWakeNanos()).hasValue(0);
      assertThat(s.tick(0)).isTrue();
      assertThat(log).containsExactly("began");
      assertThat(readable(fd, Duration.ZERO)).as("nothing to do").isFalse();
      assertThat(s.nextWakeNanos()).isEmpty();

      Fds.write(pipe.writeFd(), "x");
      assertThat(readable(fd, LONG)).isTrue();
      s.runUntilEmpty();
      assertThat(log).containsExactly("began", "saw x");
      assertThat(readable(fd, Duration.ZERO)).isFalse();
    }
  }

  @Test
  void pollFd_isSignalled_byEverySubmission(Scheduler s) throws Exception {
    int fd = s.pollFd();
    LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
    List<String> taken = new ArrayList<>();
    s.spawn(() -> {
      while (true) {
        taken.add(queue.take());
      }
    });
    s.runUntilEmpty();
    for (int i = 0; i < 1000; i++) {
      String text = "" + i;
      Elsewhere.run(() -> queue.add(text)); // an unpark by another thread
      while (taken.size() <= i) {
        if (s.nextWakeNanos().orElse(-1) != 0) {
          assertThat(readable(fd, LONG)).isTrue();
        }
        s.runUntilEmpty();
      }
    }
    Fiber waits = s.spawn(() -> Scheduler.pause(1000));
    s.runUntilEmpty();
    Elsewhere.run(waits::cancel);
    assertThat(readable(fd, LONG)).isTrue();
    s.runUntilEmpty();
    assertThat(waits.isAlive()).isFalse();
    s.clear();
  }

  @Test
  void nextWakeNanos_tellsAHostOfTimersAndDeadlines(Scheduler s) throws Exception {
    int fd = s.pollFd();
    Fiber fiber =
        s.spawn(() -> {
          try (FiberScope scope = FiberScope.open(Duration.ofMillis(1))) {
            scope.join();
            Scheduler.pause(1000);
          }
        });
    while (fiber.isAlive()) {
      long nanos = s.nextWakeNanos().orElseThrow();
      assertThat(nanos).isLessThanOrEqualTo(1_000_000);
      assertThat(readable(fd, Duration.ofNanos(nanos))).isIn(true, false);
      s.runUntilEmpty();
    }
    assertThat(fiber.failure()).get().isInstanceOf(InterruptedException.class);
  }

  @Test
  void pollFd_ofPoll_tellsWhatToDo() {
    try (Scheduler s = Scheduler.builder().poller(PollerKind.POLL).build()) {
      assertThatThrownBy(s::pollFd)
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageContaining("PollerKind.EPOLL");
    }
  }

  @Test
  void pollFd_elsewhere_isRefused() throws Exception {
    Scheduler s = Scheduler.create();
    s.runUntilEmpty();
    Elsewhere.run(() -> assertThatThrownBy(s::pollFd).isInstanceOf(WrongThreadException.class));
    s.close();
    assertThatThrownBy(s::pollFd).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void anEpollLoop_hostsFibers(Pipe host, Pipe guest, Scheduler s) throws Exception {
    List<String> log = new ArrayList<>();
    try (EpollHost loop = new EpollHost(s, fd -> log.add("host read " + Fds.read(fd)))) {
      loop.add(host.readFd());
      s.spawn(() -> {
        Scheduler.pause(0.001);
        Fds.write(host.writeFd(), "from a fiber");
        Scheduler.ioWait(guest.readFd(), Scheduler.READ, -1);
        log.add("fiber read " + Fds.read(guest.readFd()));
      });
      while (log.isEmpty()) {
        loop.turn();
      }
      Fds.write(guest.writeFd(), "from the host");
      while (s.aliveCount() > 0) {
        loop.turn();
      }
    }
    assertThat(log).containsExactly("host read from a fiber", "fiber read from the host");
  }

  @Test
  @Tag("slow")
  void swing_hostsFibers_onItsEventThread(Pipe pipe) throws Exception {
    System.setProperty("java.awt.headless", "true");
    EventQueue.invokeAndWait(() -> {}); // the JDK's own, which it keeps
    List<String> log = Collections.synchronizedList(new ArrayList<>());
    try (SwingGuest swing = new SwingGuest()) {
      CountDownLatch done = new CountDownLatch(1);
      swing
          .scheduler()
          .spawn(() -> {
            log.add(driver(swing));
            Scheduler.pause(0.001);
            EventQueue.invokeAndWait(() -> log.add("event " + EventQueue.isDispatchThread()));
            log.add(driver(swing));
            Scheduler.ioWait(pipe.readFd(), Scheduler.READ, -1);
            log.add("read " + Fds.read(pipe.readFd()));
            done.countDown();
          });
      Fds.write(pipe.writeFd(), "x");
      done.await();
    }
    assertThat(log).containsExactly("AWT-EventQueue", "event true", "AWT-EventQueue", "read x");
  }

  private static String driver(SwingGuest swing) {
    String first = swing.scheduler().dump().lines().findFirst().orElseThrow();
    return first.replaceFirst(".*driven by thread ", "").replaceFirst("-\\d+$", "");
  }
}
