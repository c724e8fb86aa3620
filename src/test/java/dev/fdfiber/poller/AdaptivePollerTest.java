package dev.fdfiber.poller;

import static dev.fdfiber.poller.Wait.READ;
import static dev.fdfiber.poller.Wait.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Pipe;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The move from poll(2) to epoll(7), with waits in every state. */
@FdTest
class AdaptivePollerTest {
  private final AdaptivePoller poller = new AdaptivePoller(Kernel.system());
  private final List<Wait> ready = new ArrayList<>();
  private final List<Integer> many = new ArrayList<>();
  private long orders;

  @AfterEach
  void close() {
    many.forEach(Fds::closeQuietly);
    poller.close();
    poller.close();
  }

  private Wait add(Poller to, int fd, int mode) {
    Wait wait = new PlainWait(fd, mode, orders++);
    assertThat(to.add(wait)).isZero();
    return wait;
  }

  private List<Wait> look() {
    ready.clear();
    assertThat(poller.poll(0, ready::add)).isEqualTo(Poller.Look.DONE);
    return ready;
  }

  /** Waits for so many duplicates of a pipe's end that the poller moves at the next look. */
  private void addMany(Poller to, Fds.Pair pipe) {
    for (int i = 0; i < AdaptivePoller.MOST; i++) {
      many.add(Fds.dup(pipe.a()));
      add(to, many.getLast(), READ);
    }
  }

  @Test
  void fewDescriptors_areAskedByPoll_howeverManyWait(Pipe pipe) {
    for (int i = 0; i < 100; i++) {
      add(poller, pipe.readFd(), READ);
    }
    look();
    assertThat(poller.asksEpoll()).isFalse();
    assertThat(poller.needsSweep()).isFalse();
  }

  @Test
  void theMove_takesEveryWaitAlong_inItsState() {
    Fds.Pair closed = Fds.pipe();
    int file = Opened.file(Path.of("pom.xml"), 0);
    int eventFd = Opened.eventFd();
    try (Fds.Pair idle = Fds.pipe();
        Fds.Pair pair = Fds.socketPair();
        Fds.Pair full = Fds.pipe()) {
      poller.wakeBy(eventFd);
      Fds.fill(pair.a());
      Wait over = add(poller, full.b(), WRITE); // over before the move
      assertThat(look()).containsExactly(over);
      Wait removed = add(poller, idle.a(), READ);
      Wait first = add(poller, pair.a(), READ);
      Wait second = add(poller, pair.a(), WRITE);
      assertThat(look()).isEmpty();
      poller.remove(removed);
      Wait gone = add(poller, closed.a(), READ);
      Wait always = add(poller, file, READ);
      addMany(poller, idle);
      Fds.close(closed.a()); // whose number the instance then gets
      assertThat(poller.asksEpoll()).isFalse();
      assertThat(look()).containsExactlyInAnyOrder(gone, always);
      assertThat(gone.ready()).isEqualTo(Wait.NOT_OPEN);
      assertThat(poller.asksEpoll()).isTrue();
      assertThat(poller.size()).isEqualTo(AdaptivePoller.MOST + 2);

      Fds.write(pair.b(), "x");
      assertThat(look()).containsExactly(first);
      poller.add(again(over, full.b(), WRITE));
      assertThat(look()).containsExactly(over);
      poller.remove(second);
      List<Wait> taken = new ArrayList<>();
      poller.removeAll(many.getFirst(), taken::add);
      assertThat(taken).hasSize(1);
      Fds.write(idle.b(), "x");
      assertThat(look()).hasSize(AdaptivePoller.MOST - 1);
      assertThat(poller.size()).isZero();
      Fds.write(eventFd, "\1\0\0\0\0\0\0\0");
      assertThat(poller.poll(-1, ready::add)).isEqualTo(Poller.Look.WOKEN);
    }
    Fds.close(eventFd);
    Fds.close(file);
    closed.close();
  }

  private Wait again(Wait wait, int fd, int mode) {
    wait.ask(fd, mode, orders++);
    return wait;
  }

  @ParameterizedTest
  @ValueSource(ints = {Errno.EMFILE, Errno.ENOSYS})
  void withoutAnInstance_pollGoesOn(int errno, Pipe pipe) {
    int[] tries = {0};
    Kernel refusing =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public int epollCreate1(int flags) {
            tries[0]++;
            return -errno;
          }

          @Override
          public int epollCtl(int epollFd, int operation, int fd, MemorySegment event) {
            throw new AssertionError("there is no instance");
          }
        };
    try (AdaptivePoller other = new AdaptivePoller(refusing);
        Fds.Pair idle = Fds.pipe()) {
      addMany(other, idle);
      Wait wait = add(other, pipe.writeFd(), WRITE);
      other.poll(0, ready::add);
      assertThat(ready).containsExactly(wait);
      add(other, pipe.writeFd(), WRITE);
      for (int i = 0; i < 10; i++) {
        other.poll(0, ready::add);
        add(other, pipe.writeFd(), WRITE);
      }
      assertThat(other.asksEpoll()).isFalse();
      assertThat(tries[0]).as("not at every look").isOne();
    }
  }
}
