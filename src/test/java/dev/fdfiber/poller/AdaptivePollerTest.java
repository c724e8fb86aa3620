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
import dev.fdfiber.testing.SocketPair;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which waits are with poll(2) and which with epoll(7), and how they move, in every state. */
@FdTest
class AdaptivePollerTest {
  private final RecordingKernel kernel = new RecordingKernel();
  private final AdaptivePoller poller = new AdaptivePoller(kernel);
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

  /** Waits for many, which have moved. */
  private void grow(Fds.Pair idle) {
    addMany(poller, idle);
    many.add(Fds.dup(idle.a()));
    add(poller, many.getLast(), READ);
    assertThat(look()).isEmpty();
    assertThat(kernel.takeCalls()).as("MOD ENOENT, ADD for each").hasSize(2 * many.size());
  }

  @Test
  void besideManyOldWaits_youngOnesCostNoCall_andAreSeenByTheSameLook(Pipe one, Pipe other) {
    try (Fds.Pair idle = Fds.pipe()) {
      grow(idle);
      for (int i = 0; i < 5; i++) {
        Wait first = add(poller, one.readFd(), READ);
        Wait second = add(poller, other.writeFd(), WRITE);
        assertThat(look()).containsExactly(second);
        Fds.write(one.writeFd(), "x");
        assertThat(look()).containsExactly(first);
        Fds.read(one.readFd());
      }
      Wait young = add(poller, other.writeFd(), WRITE);
      Fds.write(idle.b(), "x");
      assertThat(look()).hasSize(many.size() + 1).contains(young);
    }
    assertThat(kernel.takeCalls()).isEmpty();
  }

  @Test
  void youngWaits_move_whenOnlyOldOnesAreReady(Pipe one, Pipe other, Pipe busy) {
    try (Fds.Pair idle = Fds.pipe()) {
      grow(idle);
      Wait first = add(poller, one.readFd(), READ);
      Wait second = add(poller, other.readFd(), READ);
      look();
      Fds.write(idle.b(), "x");
      assertThat(look()).hasSize(many.size());
      assertThat(kernel.takeCalls()).isEmpty();
      look();
      assertThat(kernel.takeCalls()).hasSize(4).containsOnly("MOD ENOENT", "ADD");
      Fds.write(other.writeFd(), "x");
      Wait young = add(poller, busy.writeFd(), WRITE);
      assertThat(look()).containsExactlyInAnyOrder(second, young);
      assertThat(kernel.takeCalls()).isEmpty();
      Fds.write(one.writeFd(), "x");
      assertThat(look()).containsExactly(first);
    }
  }

  @Test
  void looksInVain_makeWaitsBeginWithEpoll_forEverLonger_untilPollIsOfUse(Pipe busy) {
    try (Fds.Pair idle = Fds.pipe()) {
      grow(idle);
      List<Fds.Pair> inTurn = Stream.generate(Fds::pipe).limit(40).toList();
      inTurn.forEach(pipe -> add(poller, pipe.a(), READ));
      look();
      kernel.takeCalls();
      List<Integer> young = new ArrayList<>();
      for (int i = 0; i < 33; i++) {
        if (isYoungWhile(inTurn.get(i), idle)) {
          young.add(i);
        }
      }
      assertThat(young).containsExactly(0, 2, 6, 14, 30);
      for (int i = 0; i < 31; i++) {
        look(); // the longest pause is over then
      }
      for (int i = 0; i < 5; i++) {
        add(poller, busy.writeFd(), WRITE);
        assertThat(look()).hasSize(1);
      }
      assertThat(kernel.takeCalls()).isEmpty();
      young.clear();
      for (int i = 33; i < 37; i++) {
        if (isYoungWhile(inTurn.get(i), idle)) {
          young.add(i);
        }
      }
      assertThat(young).as("as in the beginning").containsExactly(33, 35);
      inTurn.forEach(Fds.Pair::close);
    }
  }

  /** If a new wait, for what is never ready, is with poll(2) while an old one is ready. */
  private boolean isYoungWhile(Fds.Pair old, Fds.Pair idle) {
    many.add(Fds.dup(idle.a()));
    add(poller, many.getLast(), READ);
    Fds.write(old.b(), "x");
    assertThat(look()).hasSize(1);
    return kernel.takeCalls().isEmpty();
  }

  @Test
  void allWaitsOfADescriptor_areWithOne_andEndInTheirOrder(SocketPair pair, Pipe busy) {
    try (Fds.Pair idle = Fds.pipe()) {
      grow(idle);
      Wait first = add(poller, pair.a(), READ);
      Fds.write(idle.b(), "x");
      look();
      look(); // and now the kernel has been asked
      kernel.takeCalls();
      Wait second = add(poller, pair.a(), READ);
      Wait writer = add(poller, pair.a(), WRITE);
      Wait young = add(poller, busy.readFd(), READ);
      assertThat(look()).containsExactly(writer);
      assertThat(kernel.takeCalls()).contains("MOD");
      Fds.write(pair.b(), "x");
      Fds.write(busy.writeFd(), "x");
      assertThat(look()).containsSubsequence(first, second).contains(young);
      List<Wait> removed = new ArrayList<>();
      Wait third = add(poller, pair.a(), READ);
      Wait fourth = add(poller, pair.a(), WRITE);
      poller.removeAll(pair.a(), removed::add);
      assertThat(removed).containsExactly(third, fourth);
      assertThat(poller.size()).isZero();
    }
  }

  @Test
  void aRegistration_lasts_fromTheFirstWaitOnThatSeesAnInstance(SocketPair pair, Pipe busy) {
    try (Fds.Pair idle = Fds.pipe()) {
      Registration registration = new Registration(pair.a());
      Wait owner = new PlainWait(pair.a(), READ, 0);
      for (int i = 0; i < 5; i++) {
        if (i == 2) {
          grow(idle);
        }
        owner.ask(pair.a(), READ, orders++, registration);
        poller.add(owner);
        Wait young = add(poller, busy.writeFd(), WRITE);
        assertThat(look()).containsExactly(young);
        int calls = i == 2 ? 4 : 0; // then the young one moves, too
        assertThat(kernel.takeCalls()).as("in turn %s", i).hasSize(calls);
        Fds.write(pair.b(), "x");
        assertThat(look()).containsExactly(owner);
        Fds.read(pair.a());
      }
      assertThat(kernel.takeCalls()).as("it lasts").isEmpty();
      registration.end();
      assertThat(kernel.takeCalls()).containsExactly("DEL");
    }
  }

  @Test
  void theNumberOfTheInstance_andOfTheEventfd_areNotOpen(Pipe busy) {
    int eventFd = Opened.eventFd();
    try (Fds.Pair idle = Fds.pipe()) {
      grow(idle);
      poller.wakeBy(eventFd);
      Wait young = add(poller, busy.writeFd(), WRITE);
      Wait instance = add(poller, kernel.epollFd, READ);
      Wait waker = add(poller, eventFd, READ);
      assertThat(look()).containsExactlyInAnyOrder(young, instance, waker);
      assertThat(instance.ready()).isEqualTo(Wait.NOT_OPEN);
      assertThat(waker.ready()).isEqualTo(Wait.NOT_OPEN);
      add(poller, busy.readFd(), READ);
      Fds.write(eventFd, "\1\0\0\0\0\0\0\0");
      ready.clear();
      assertThat(poller.poll(-1, ready::add)).isEqualTo(Poller.Look.WOKEN);
      assertThat(ready).isEmpty();
      kernel.takeCalls();
      Fds.read(eventFd);
      look();
      assertThat(kernel.takeCalls()).as("to be woken is not to look in vain").isEmpty();
    }
    Fds.close(eventFd);
  }

  @Test
  void hostedByAnotherLoop_noWaitIsYoung(Pipe one, Pipe other) {
    Wait before = add(poller, one.readFd(), READ);
    assertThat(poller.pollFd()).isEqualTo(kernel.epollFd);
    Wait after = add(poller, other.readFd(), READ);
    assertThat(look()).isEmpty();
    assertThat(kernel.takeCalls()).hasSize(4);
    Fds.write(one.writeFd(), "x");
    Fds.write(other.writeFd(), "x");
    assertThat(look()).containsExactlyInAnyOrder(before, after);
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
