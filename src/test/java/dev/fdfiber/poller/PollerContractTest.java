package dev.fdfiber.poller;

import static dev.fdfiber.poller.Wait.READ;
import static dev.fdfiber.poller.Wait.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.SocketPair;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What every poller does. */
@FdTest
@ParameterizedClass
@EnumSource(PollerContractTest.Kind.class)
class PollerContractTest {
  enum Kind {
    POLL,
    EPOLL,
    ADAPTIVE,
    /** Has an epoll instance, because it once had many waits. */
    GROWN;

    Poller over(Kernel kernel) {
      return switch (this) {
        case POLL -> new PollPoller(kernel);
        case EPOLL -> new EpollPoller(kernel);
        case ADAPTIVE, GROWN -> new AdaptivePoller(kernel);
      };
    }
  }

  @Parameter Kind kind;

  private Poller poller;
  private final List<Wait> ready = new ArrayList<>();
  private long orders;

  @BeforeEach
  void make() {
    poller = kind.over(Kernel.system());
    if (kind == Kind.GROWN) {
      grow();
    }
  }

  private void grow() {
    List<Integer> fds = new ArrayList<>();
    try (Fds.Pair pipe = Fds.pipe()) {
      for (int i = 0; i <= AdaptivePoller.MOST; i++) {
        fds.add(Fds.dup(pipe.a()));
        add(fds.getLast(), READ);
      }
      assertThat(look()).isEmpty();
    }
    for (int fd : fds) {
      poller.removeAll(fd, wait -> {});
      Fds.close(fd);
    }
    assertThat(poller.asksEpoll()).isTrue();
  }

  @AfterEach
  void close() {
    poller.close();
    poller.close();
  }

  private Wait add(int fd, int mode) {
    Wait wait = new PlainWait(fd, mode, orders++);
    assertThat(poller.add(wait)).isZero();
    return wait;
  }

  private List<Wait> look() {
    ready.clear();
    assertThat(poller.poll(0, ready::add)).isEqualTo(Poller.Look.DONE);
    return ready;
  }

  @Test
  void poll_handsOutEachReadyWaitOnce(SocketPair pair) {
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

  @Test
  void poll_aWaitThatIsOver_canBeAskedAgain(SocketPair pair) {
    PlainWait wait = new PlainWait(pair.a(), WRITE, 0);
    for (int i = 0; i < 3; i++) {
      wait.ask(pair.a(), WRITE, i);
      assertThat(wait.ready()).isZero();
      poller.add(wait);
      assertThat(look()).containsExactly(wait);
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
    assertThat(poller.add(new PlainWait(-1, READ, 0))).isEqualTo(-Errno.EBADF);
    assertThat(poller.add(new PlainWait(Integer.MIN_VALUE, READ, 0))).isEqualTo(-Errno.EBADF);
    assertThat(poller.size()).isZero();
  }

  @Test
  void remove_leavesTheOthers(SocketPair pair) {
    Wait a = add(pair.a(), WRITE);
    Wait b = add(pair.a(), WRITE);
    Wait c = add(pair.a(), WRITE);
    poller.remove(b);
    assertThat(b.isRegistered()).isFalse();
    assertThat(poller.size()).isEqualTo(2);
    assertThat(look()).containsExactlyInAnyOrder(a, c);
  }

  @Test
  void removeAll_handsOutInTheOrderOfRegistration(SocketPair pair) {
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

  @Test
  void removeAll_whatNobodyWaitsFor_isNothing(SocketPair pair) {
    Wait wait = add(pair.a(), WRITE);
    List<Wait> removed = new ArrayList<>();
    for (int fd : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, pair.b()}) {
      poller.removeAll(fd, removed::add);
    }
    assertThat(removed).isEmpty();
    assertThat(look()).containsExactly(wait);
    assertThat(look()).isEmpty();
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
  void poll_anEndThatIsGone_countsAsAllThatWasAsked() {
    Fds.Pair pipe = Fds.pipe();
    Fds.Pair other = Fds.pipe();
    Fds.close(pipe.b());
    Fds.close(other.a());
    Wait reader = add(pipe.a(), READ);
    Wait both = add(pipe.a(), READ | WRITE);
    Wait writer = add(other.b(), WRITE);
    assertThat(look()).containsExactlyInAnyOrder(reader, both, writer);
    assertThat(reader.ready()).isEqualTo(READ);
    assertThat(both.ready()).isEqualTo(READ | WRITE);
    assertThat(writer.ready()).isEqualTo(WRITE);
    Fds.close(pipe.a());
    Fds.close(other.b());
  }

  @Test
  void poll_aRegularFileOrDirectory_isAlwaysReady() {
    for (String path : List.of("pom.xml", "src")) {
      int fd = Opened.file(Path.of(path), Linux.O_RDONLY);
      Wait reader = add(fd, READ);
      Wait both = add(fd, READ | WRITE);
      assertThat(poller.poll(-1, ready::add)).isEqualTo(Poller.Look.DONE);
      assertThat(ready).containsExactlyInAnyOrder(reader, both);
      assertThat(both.ready()).isEqualTo(READ | WRITE);
      ready.clear();
      Fds.close(fd);
    }
  }

  @Test
  void poll_aNumberThatWasNeverOpen_isReportedByTheNextLook() {
    Wait wait = add(1_000_000, READ);
    assertThat(poller.poll(-1, ready::add)).isEqualTo(Poller.Look.DONE);
    assertThat(ready).containsExactly(wait);
    assertThat(wait.ready()).isEqualTo(Wait.NOT_OPEN);
    assertThat(poller.size()).isZero();
  }

  @Test
  void poll_theWriterOfASharedDescriptor_goesOnWaitingWhenTheReaderIsDone(SocketPair pair) {
    Fds.fill(pair.a());
    Wait writer = add(pair.a(), WRITE);
    Wait reader = add(pair.a(), READ);
    assertThat(look()).isEmpty();
    Fds.write(pair.b(), "x");
    assertThat(look()).containsExactly(reader);
    assertThat(look()).isEmpty();
    Wait second = add(pair.a(), READ);
    assertThat(look()).containsExactly(second); // nobody has read it
    String text;
    do {
      text = Fds.read(pair.b());
    } while (text != null);
    assertThat(look()).containsExactly(writer);
  }

  @Test
  void poll_afterAWaitWasRemoved_doesNotReportForIt_norSpin(SocketPair pair) {
    Wait gone = add(pair.a(), READ);
    look();
    poller.remove(gone);
    Fds.write(pair.b(), "x");
    assertThat(look()).isEmpty();
    long start = System.nanoTime();
    assertThat(poller.poll(20_000_000, ready::add)).isEqualTo(Poller.Look.DONE);
    assertThat(poller.poll(20_000_000, ready::add)).isEqualTo(Poller.Look.DONE);
    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(20_000_000);
    assertThat(ready).isEmpty();
  }

  @Test
  void poll_betweenWaits_aNumberMayBecomeAnyOtherFile() {
    for (int i = 0; i < 5; i++) {
      Fds.Pair pipe = Fds.pipe();
      int duplicate = Fds.dup(pipe.a()); // what an epoll instance knows lives on
      Wait first = add(pipe.a(), READ);
      assertThat(look()).isEmpty();
      poller.remove(first);
      try (Fds.Pair other = Fds.pipe()) {
        Opened.replace(pipe.a(), other.a());
        Fds.write(pipe.b(), "x"); // which only the duplicate can read
        Wait second = add(pipe.a(), READ);
        assertThat(look()).isEmpty();
        Fds.write(other.b(), "x");
        assertThat(look()).containsExactly(second);
      }
      Fds.close(duplicate);
      pipe.close();
    }
  }

  @Test
  void poll_moreReadyThanFitInOneCall_areAllReportedByOneLook(Pipe full) {
    List<Wait> waits = new ArrayList<>();
    List<Integer> fds = new ArrayList<>();
    Fds.write(full.writeFd(), "x");
    for (int i = 0; i < 300; i++) {
      fds.add(Fds.dup(full.readFd()));
      waits.add(add(fds.getLast(), READ));
    }
    assertThat(look()).containsExactlyInAnyOrderElementsOf(waits);
    fds.forEach(Fds::close);
  }

  @Test
  void bits_hangUpAndErrorCountAsBoth() {
    assertThat(Waited.bits(Linux.POLLIN)).isEqualTo(READ);
    assertThat(Waited.bits(Linux.POLLOUT)).isEqualTo(WRITE);
    assertThat(Waited.bits(Linux.POLLIN | Linux.POLLOUT)).isEqualTo(READ | WRITE);
    assertThat(Waited.bits(Linux.POLLHUP)).isEqualTo(READ | WRITE);
    assertThat(Waited.bits(Linux.POLLOUT | Linux.POLLERR)).isEqualTo(READ | WRITE);
    assertThat(Waited.bits(0)).isZero();
  }

  @Test
  void poll_failed_tellsWhy() {
    Kernel failing =
        new ForwardingKernel(Kernel.system()) {
          @Override
          protected int look(long timeoutNanos, Look next) {
            return -Errno.ENOMEM;
          }
        };
    try (Poller failingPoller = kind.over(failing)) {
      failingPoller.add(new PlainWait(0, READ, 0));
      assertThatThrownBy(() -> failingPoller.poll(0, ready::add))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("ENOMEM");
    }
  }

  /**
   * Adds and removes at random over many descriptors, and checks each look against poll's truth.
   */
  @Test
  void randomUse_agreesWithAPlainList(Pipe empty, Pipe full) {
    Random random = new Random(1);
    List<Integer> fds = new ArrayList<>();
    List<Wait> model = new ArrayList<>();
    Fds.write(full.writeFd(), "x");
    for (int i = 0; i < 200; i++) {
      fds.add(Fds.dup(i % 2 == 0 ? empty.readFd() : full.readFd()));
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
      boolean seldom = i % 1_000 < 500;
      if (seldom ? i % 50 == 0 : random.nextBoolean()) {
        checkLook(model, fds);
      }
    }
    fds.forEach(Fds::close);
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
