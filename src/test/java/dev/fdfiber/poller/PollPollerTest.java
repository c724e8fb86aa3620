package dev.fdfiber.poller;

import static dev.fdfiber.poller.Wait.READ;
import static dev.fdfiber.poller.Wait.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Leaks;
import dev.fdfiber.testing.Opened;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Leaks.class)
@Timeout(60)
class PollPollerTest {
  private static final class Plain extends Wait {
    Plain(int fd, int mode, long order) {
      ask(fd, mode, order);
    }

    @Override
    public String toString() {
      return "wait " + order();
    }
  }

  private final PollPoller poller = new PollPoller(Kernel.system());
  private final List<Wait> ready = new ArrayList<>();
  private long orders;

  @AfterEach
  void close() {
    poller.close();
    poller.close();
  }

  private Wait add(int fd, int mode) {
    Wait wait = new Plain(fd, mode, orders++);
    assertThat(poller.add(wait)).isZero();
    return wait;
  }

  private List<Wait> look() {
    ready.clear();
    assertThat(poller.poll(0, ready::add)).isEqualTo(Poller.Look.DONE);
    return ready;
  }

  @Test
  void poll_handsOutEachReadyWaitOnce() {
    try (Fds.Pair pair = Fds.socketPair()) {
      Wait writer = add(pair.a(), WRITE);
      Wait reader = add(pair.a(), READ);
      assertThat(look()).containsExactly(writer);
      assertThat(writer.ready()).isEqualTo(WRITE);
      assertThat(writer.isRegistered()).isFalse();
      assertThat(reader.isRegistered()).isTrue();
      assertThat(look()).isEmpty();
      Fds.write(pair.b(), "x");
      assertThat(look()).containsExactly(reader);
      assertThat(poller.size()).isZero();
    }
  }

  @Test
  void poll_aWaitThatIsOver_canBeAskedAgain() {
    try (Fds.Pair pair = Fds.socketPair()) {
      Plain wait = new Plain(pair.a(), WRITE, 0);
      for (int i = 0; i < 3; i++) {
        wait.ask(pair.a(), WRITE, i);
        assertThat(wait.ready()).isZero();
        poller.add(wait);
        assertThat(look()).containsExactly(wait);
      }
    }
  }

  @Test
  void poll_notOpen_isReportedToAll() {
    Fds.Pair pipe = Fds.pipe();
    Wait reader = add(pipe.a(), READ);
    Wait writer = add(pipe.a(), WRITE);
    pipe.close();
    assertThat(look()).containsExactlyInAnyOrder(reader, writer);
    assertThat(reader.ready()).isEqualTo(Wait.NOT_OPEN);
    assertThat(writer.ready()).isEqualTo(Wait.NOT_OPEN);
  }

  @Test
  void add_negative_isEbadf() {
    assertThat(poller.add(new Plain(-1, READ, 0))).isEqualTo(-Errno.EBADF);
    assertThat(poller.add(new Plain(Integer.MIN_VALUE, READ, 0))).isEqualTo(-Errno.EBADF);
    assertThat(poller.size()).isZero();
  }

  @Test
  void remove_leavesTheOthers() {
    try (Fds.Pair pair = Fds.socketPair()) {
      Wait a = add(pair.a(), WRITE);
      Wait b = add(pair.a(), WRITE);
      Wait c = add(pair.a(), WRITE);
      poller.remove(b);
      assertThat(b.isRegistered()).isFalse();
      assertThat(poller.size()).isEqualTo(2);
      assertThat(look()).containsExactlyInAnyOrder(a, c);
    }
  }

  @Test
  void removeAll_handsOutInTheOrderOfRegistration() {
    try (Fds.Pair pair = Fds.socketPair()) {
      Wait a = add(pair.a(), READ);
      Wait other = add(pair.b(), READ);
      Wait b = add(pair.a(), READ | WRITE);
      List<Wait> removed = new ArrayList<>();
      poller.removeAll(pair.a(), removed::add);
      assertThat(removed).containsExactly(a, b);
      assertThat(poller.size()).isOne();
      Fds.write(pair.a(), "x");
      assertThat(look()).containsExactly(other);
    }
  }

  @Test
  void removeAll_whatNobodyWaitsFor_isNothing() {
    try (Fds.Pair pair = Fds.socketPair()) {
      Wait wait = add(pair.a(), WRITE);
      List<Wait> removed = new ArrayList<>();
      for (int fd : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, pair.b()}) {
        poller.removeAll(fd, removed::add);
      }
      assertThat(removed).isEmpty();
      assertThat(look()).containsExactly(wait);
      assertThat(look()).isEmpty();
    }
  }

  @Test
  void wakeBy_tellsTheEventfdApart() {
    int eventFd = Opened.eventFd();
    try (Fds.Pair pair = Fds.socketPair()) {
      poller.wakeBy(eventFd);
      Wait wait = add(pair.a(), WRITE);
      Kernel.system().write(eventFd, MemorySegment.ofBuffer(eight()), 8);
      assertThat(poller.poll(-1, ready::add)).isEqualTo(Poller.Look.WOKEN);
      assertThat(ready).containsExactly(wait);
      assertThat(poller.poll(-1, ready::add)).isEqualTo(Poller.Look.WOKEN);
      Fds.read(eventFd);
      assertThat(look()).isEmpty();
      assertThat(poller.size()).as("the eventfd is no wait").isZero();
    }
    Fds.close(eventFd);
  }

  private static java.nio.ByteBuffer eight() {
    return java.nio.ByteBuffer.allocateDirect(8).put(0, (byte) 1).put(7, (byte) 1);
  }

  @Test
  void bits_hangUpAndErrorCountAsBoth() {
    assertThat(PollPoller.bits(Linux.POLLIN)).isEqualTo(READ);
    assertThat(PollPoller.bits(Linux.POLLOUT)).isEqualTo(WRITE);
    assertThat(PollPoller.bits(Linux.POLLIN | Linux.POLLOUT)).isEqualTo(READ | WRITE);
    assertThat(PollPoller.bits(Linux.POLLHUP)).isEqualTo(READ | WRITE);
    assertThat(PollPoller.bits(Linux.POLLOUT | Linux.POLLERR)).isEqualTo(READ | WRITE);
    assertThat(PollPoller.bits(Linux.POLLNVAL | Linux.POLLHUP)).isEqualTo(Wait.NOT_OPEN);
    assertThat(PollPoller.bits(0)).isZero();
  }

  @Test
  void poll_failed_tellsWhy() {
    Kernel failing =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public int ppoll(MemorySegment pollFds, int count, long timeoutNanos) {
            return -Errno.ENOMEM;
          }
        };
    try (PollPoller failingPoller = new PollPoller(failing)) {
      assertThatThrownBy(() -> failingPoller.poll(0, ready::add))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("ENOMEM");
    }
  }

  /**
   * Adds and removes at random over many descriptors, and checks each look against poll's truth.
   */
  @Test
  void randomUse_agreesWithAPlainList() {
    Random random = new Random(1);
    List<Integer> fds = new ArrayList<>();
    List<Wait> model = new ArrayList<>();
    try (Fds.Pair empty = Fds.pipe();
        Fds.Pair full = Fds.pipe()) {
      Fds.write(full.b(), "x");
      for (int i = 0; i < 200; i++) {
        fds.add(Fds.dup(i % 2 == 0 ? empty.a() : full.a()));
      }
      for (int i = 0; i < 5_000; i++) {
        int index = random.nextInt(fds.size());
        switch (random.nextInt(8)) {
          case 0 -> {
            if (!model.isEmpty()) {
              poller.remove(model.remove(random.nextInt(model.size())));
            }
          }
          case 1 -> {
            int fd = fds.get(index);
            List<Wait> gone = new ArrayList<>();
            poller.removeAll(fd, gone::add);
            List<Wait> expected = model.stream().filter(w -> w.fd() == fd).toList();
            assertThat(gone).isEqualTo(expected);
            model.removeAll(expected);
          }
          default -> model.add(add(fds.get(index), 1 + random.nextInt(3)));
        }
        assertThat(poller.size()).isEqualTo(model.size());
        if (i % 50 == 0) {
          checkLook(model, fds);
        }
      }
      fds.forEach(Fds::close);
    }
  }

  private void checkLook(List<Wait> model, List<Integer> fds) {
    List<Wait> expected =
        model.stream().filter(w -> fds.indexOf(w.fd()) % 2 == 1 && (w.mode() & READ) != 0).toList();
    List<Wait> seen = new ArrayList<>(look());
    seen.sort(Comparator.comparingLong(Wait::order));
    assertThat(seen).isEqualTo(expected).allMatch(w -> w.ready() == READ);
    model.removeAll(expected);
  }
}
