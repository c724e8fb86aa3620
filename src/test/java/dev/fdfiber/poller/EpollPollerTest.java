package dev.fdfiber.poller;

import static dev.fdfiber.poller.Wait.READ;
import static dev.fdfiber.poller.Wait.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.SocketPair;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What epoll(7) makes harder than poll(2): registrations outlive numbers. */
@FdTest
class EpollPollerTest {
  private final RecordingKernel kernel = new RecordingKernel();
  private final EpollPoller poller = new EpollPoller(kernel);
  private final List<Wait> ready = new ArrayList<>();
  private long orders;

  @AfterEach
  void close() {
    poller.close();
    poller.close();
    if (kernel.epollFd >= 0) {
      assertThat(Fds.isOpen(kernel.epollFd)).isFalse();
    }
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

  private List<Wait> sweep() {
    List<Wait> gone = new ArrayList<>();
    boolean more;
    do {
      more = poller.sweep(gone::add);
    } while (more);
    return gone;
  }

  @Test
  void theInstance_isMadeAtTheFirstLookThatHasToAsk_andClosesOnExec(Pipe pipe) {
    look();
    assertThat(kernel.epollFd).isEqualTo(-1);
    add(pipe.readFd(), READ);
    assertThat(kernel.epollFd).isEqualTo(-1);
    look();
    assertThat(Opened.isCloseOnExec(kernel.epollFd)).isTrue();
  }

  @Test
  void aWait_isOneCall_andNoneWhenItEnds(Pipe pipe) {
    add(pipe.writeFd(), WRITE);
    assertThat(look()).hasSize(1);
    assertThat(kernel.takeCalls()).containsExactly("MOD ENOENT", "ADD");
    for (int i = 0; i < 3; i++) {
      add(pipe.writeFd(), WRITE);
      assertThat(look()).hasSize(1);
      assertThat(kernel.takeCalls()).containsExactly("MOD");
    }
    Wait withdrawn = add(pipe.readFd(), READ);
    poller.remove(withdrawn);
    look();
    assertThat(kernel.takeCalls()).isEmpty();
  }

  @Test
  void readersAndWritersOfOneDescriptor_shareARegistration(SocketPair pair) {
    Fds.fill(pair.a());
    Wait reader = add(pair.a(), READ);
    Wait writer = add(pair.a(), WRITE);
    Wait both = add(pair.a(), READ | WRITE);
    look();
    assertThat(kernel.takeCalls()).containsExactly("MOD ENOENT", "ADD");
    Fds.write(pair.b(), "x");
    assertThat(look()).containsExactly(reader, both);
    assertThat(look()).isEmpty();
    assertThat(kernel.takeCalls()).as("the writer is asked about again").containsExactly("MOD");
    assertThat(writer.isRegistered()).isTrue();
  }

  @Test
  void closedAndReusedWithinTheWait_isEbadf_whileALaterWaitIsForTheNewFile() {
    Fds.Pair pipe = Fds.pipe();
    try (Fds.Pair other = Fds.pipe()) {
      Wait old = add(pipe.a(), READ);
      assertThat(look()).isEmpty();
      Opened.replace(pipe.a(), other.a());
      Wait later = add(pipe.a(), READ);
      assertThat(look()).containsExactly(old);
      assertThat(old.ready()).isEqualTo(Wait.NOT_OPEN);
      Fds.write(other.b(), "x");
      assertThat(look()).containsExactly(later);
    }
    pipe.close();
  }

  @Test
  void aDuplicateElsewhere_bringsNoEventForALaterFileAtTheNumber() {
    Fds.Pair pipe = Fds.pipe();
    int duplicate = Fds.dup(pipe.a());
    try (Fds.Pair other = Fds.pipe()) {
      Wait old = add(pipe.a(), READ);
      look();
      Opened.replace(pipe.a(), other.a());
      Wait later = add(pipe.a(), READ);
      look();
      assertThat(old.ready()).isEqualTo(Wait.NOT_OPEN);
      Fds.write(pipe.b(), "x"); // the old registration is armed, and cannot be reached
      assertThat(look()).isEmpty();
      assertThat(poller.poll(10_000_000, ready::add)).as("once").isEqualTo(Poller.Look.DONE);
      assertThat(later.isRegistered()).isTrue();
    }
    Fds.close(duplicate);
    pipe.close();
  }

  @Test
  void sweep_findsWhatWasClosed_andWhatIsAnotherFile() {
    Fds.Pair closed = Fds.pipe();
    Fds.Pair reused = Fds.pipe();
    try (Fds.Pair open = Fds.pipe()) {
      Wait a = add(closed.a(), READ);
      Wait b = add(reused.a(), READ);
      Wait c = add(open.a(), READ);
      look();
      assertThat(sweep()).isEmpty();
      Fds.close(closed.a());
      Opened.replace(reused.a(), open.a());
      assertThat(look()).isEmpty();
      assertThat(sweep()).containsExactlyInAnyOrder(a, b);
      assertThat(a.ready()).isEqualTo(Wait.NOT_OPEN);
      assertThat(b.ready()).isEqualTo(Wait.NOT_OPEN);
      assertThat(c.isRegistered()).isTrue();
      assertThat(poller.size()).isOne();
      Fds.write(open.b(), "x");
      assertThat(look()).containsExactly(c);
    }
    closed.close();
    reused.close();
  }

  @Test
  void sweep_looksAtSixtyFourAtATime_andMissesNone(Pipe pipe) {
    List<Integer> fds = new ArrayList<>();
    List<Wait> closed = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      fds.add(Fds.dup(pipe.readFd()));
      Wait wait = add(fds.getLast(), READ);
      if (i % 3 != 0) {
        closed.add(wait);
      }
    }
    look();
    closed.forEach(wait -> Fds.close(wait.fd()));
    kernel.takeCalls();
    List<Wait> gone = new ArrayList<>();
    int passes = 0;
    boolean more;
    do {
      more = poller.sweep(gone::add);
      assertThat(kernel.takeCalls()).hasSizeLessThanOrEqualTo(EpollPoller.SWEPT);
      passes++;
    } while (more);
    assertThat(gone).containsExactlyInAnyOrderElementsOf(closed);
    assertThat(passes).isEqualTo(4);
    fds.forEach(Fds::closeQuietly);
  }

  @Test
  void sweep_keepsWhatIsReady(Pipe pipe) {
    Wait wait = add(pipe.readFd(), READ);
    look();
    Fds.write(pipe.writeFd(), "x");
    assertThat(sweep()).isEmpty();
    assertThat(look()).containsExactly(wait);
  }

  @Test
  void waitForTheNumberThatTheInstanceGets_isNotOpen() {
    int number = Opened.eventFd(); // the lowest free one
    Wait wait = add(number, READ);
    Fds.close(number);
    look();
    assertThat(kernel.epollFd).isEqualTo(number);
    assertThat(ready).containsExactly(wait);
    assertThat(wait.ready()).isEqualTo(Wait.NOT_OPEN);
  }

  @Test
  void waitForTheNumberThatTheEventfdGets_isNotOpen(Pipe pipe) {
    int number = Opened.eventFd();
    Wait wait = add(number, READ);
    Wait other = add(pipe.readFd(), READ);
    look();
    Fds.close(number);
    int eventFd = Opened.eventFd();
    assertThat(eventFd).isEqualTo(number);
    poller.wakeBy(eventFd);
    assertThat(look()).containsExactly(wait);
    assertThat(wait.ready()).isEqualTo(Wait.NOT_OPEN);
    Fds.write(eventFd, "\1\0\0\0\0\0\0\0");
    assertThat(poller.poll(-1, ready::add)).isEqualTo(Poller.Look.WOKEN);
    assertThat(other.isRegistered()).isTrue();
    Fds.close(eventFd);
  }

  private Wait add(int fd, int mode, Registration registration) {
    Wait wait = new PlainWait(fd, mode, 0);
    wait.ask(fd, mode, orders++, registration);
    assertThat(poller.add(wait)).isZero();
    return wait;
  }

  @Test
  void aRegistration_costsNoCallForAWait(SocketPair pair) {
    Registration registration = new Registration(pair.a());
    for (int i = 0; i < 3; i++) {
      Wait wait = add(pair.a(), READ, registration);
      assertThat(look()).isEmpty();
      Fds.write(pair.b(), "x");
      assertThat(look()).containsExactly(wait);
      assertThat(Fds.read(pair.a())).isEqualTo("x");
    }
    assertThat(kernel.takeCalls()).containsExactly("MOD ENOENT", "ADD");
    Fds.fill(pair.a());
    Wait writer = add(pair.a(), WRITE, registration);
    assertThat(look()).isEmpty();
    assertThat(kernel.takeCalls()).as("for writing it is asked when that blocks").hasSize(1);
    String text;
    do {
      text = Fds.read(pair.b());
    } while (text != null);
    assertThat(look()).containsExactly(writer);
    registration.end();
    assertThat(kernel.takeCalls()).containsExactly("DEL");
  }

  @Test
  void anEdgeThatNobodyWaitedFor_isKept_andReportedOnce(SocketPair pair) {
    Registration registration = new Registration(pair.a());
    poller.remove(add(pair.a(), READ, registration));
    look();
    Wait asked = add(pair.a(), READ, registration);
    look();
    poller.remove(asked);
    Fds.write(pair.b(), "x");
    assertThat(registration.hasSeen(READ)).isFalse();
    assertThat(look()).isEmpty();
    assertThat(registration.hasSeen(READ)).isTrue();
    registration.clear(READ);
    assertThat(look()).isEmpty();
    assertThat(registration.hasSeen(READ)).as("there is no second edge").isFalse();
    assertThat(registration.isClosing()).isFalse();
    Fds.close(pair.b());
    look();
    assertThat(registration.isClosing()).isTrue();
    registration.end();
  }

  @Test
  void aRawWait_besideARegistration_isLevelTriggered(SocketPair pair) {
    Registration registration = new Registration(pair.a());
    Wait owner = add(pair.a(), READ, registration);
    look();
    Fds.write(pair.b(), "x");
    assertThat(look()).containsExactly(owner);
    for (int i = 0; i < 3; i++) {
      Wait raw = add(pair.a(), READ); // the byte is still there
      assertThat(look()).containsExactly(raw);
    }
    Fds.read(pair.a());
    Wait again = add(pair.a(), READ, registration);
    assertThat(look()).isEmpty();
    Fds.write(pair.b(), "x");
    assertThat(look()).containsExactly(again);
    registration.end();
  }

  @Test
  void removeAll_takesTheRegistrationOut_soThatADuplicateBringsNoEvents() {
    Fds.Pair pipe = Fds.pipe();
    int duplicate = Fds.dup(pipe.a());
    Registration registration = new Registration(pipe.a());
    Wait wait = add(pipe.a(), READ, registration);
    look();
    List<Wait> removed = new ArrayList<>();
    poller.removeAll(pipe.a(), removed::add);
    assertThat(removed).containsExactly(wait);
    assertThat(kernel.takeCalls()).endsWith("DEL");
    Fds.close(pipe.a());
    long start = System.nanoTime();
    Fds.write(pipe.b(), "x");
    assertThat(poller.poll(20_000_000, ready::add)).isEqualTo(Poller.Look.DONE);
    assertThat(System.nanoTime() - start).as("no event").isGreaterThanOrEqualTo(20_000_000);
    registration.end();
    assertThat(kernel.takeCalls()).isEmpty();
    Fds.close(duplicate);
    pipe.close();
  }

  @Test
  void endedElsewhere_theNumberIsFreeForTheNextOwner() {
    Fds.Pair pipe = Fds.pipe();
    try (Fds.Pair other = Fds.pipe()) {
      Registration first = new Registration(pipe.a());
      poller.remove(add(pipe.a(), READ, first));
      Wait wait = add(pipe.a(), READ, first);
      look();
      poller.remove(wait);
      first.end(); // as another thread does
      Opened.replace(pipe.a(), other.a());
      Registration second = new Registration(pipe.a());
      for (int i = 0; i < 4; i++) {
        Wait next = add(pipe.a(), READ, second);
        assertThat(look()).isEmpty();
        Fds.write(other.b(), "x");
        assertThat(look()).containsExactly(next);
        Fds.read(pipe.a());
      }
      kernel.takeCalls();
      poller.remove(add(pipe.a(), READ, second));
      look();
      assertThat(kernel.takeCalls()).as("it lasts by now").isEmpty();
      second.end();
    }
    pipe.close();
  }

  @Test
  void aRegistrationWhoseFileWasClosedBehind_isFoundByTheSweep() {
    Fds.Pair pipe = Fds.pipe();
    Fds.Pair reused = Fds.pipe();
    try (Fds.Pair other = Fds.pipe()) {
      Wait closed = add(pipe.a(), READ, new Registration(pipe.a()));
      Registration stale = new Registration(reused.a());
      Wait otherFile = add(reused.a(), READ, stale);
      look();
      Fds.close(pipe.a());
      Opened.replace(reused.a(), other.a());
      assertThat(look()).isEmpty();
      assertThat(sweep()).containsExactlyInAnyOrder(closed, otherFile);
      assertThat(otherFile.ready()).isEqualTo(Wait.NOT_OPEN);
      Wait again = add(reused.a(), READ, stale);
      assertThat(look()).isEmpty();
      Fds.write(other.b(), "x");
      assertThat(look()).containsExactly(again);
      stale.end();
    }
    pipe.close();
    reused.close();
  }

  @Test
  void sweep_makesTheKernelLookAnew_whereAnEdgeWasMissed(Pipe pipe) {
    Registration registration = new Registration(pipe.readFd());
    poller.remove(add(pipe.readFd(), READ, registration));
    Wait first = add(pipe.readFd(), READ, registration);
    look();
    Fds.write(pipe.writeFd(), "x");
    assertThat(look()).containsExactly(first);
    Wait wrong = add(pipe.readFd(), READ, registration); // without having read
    assertThat(look()).isEmpty();
    sweep();
    assertThat(look()).containsExactly(wrong);
    registration.end();
  }

  @Test
  void aRegistration_belongsToOnePoller_untilThatIsClosed(Pipe pipe) {
    Registration registration = new Registration(pipe.readFd());
    add(pipe.readFd(), READ, registration);
    look();
    EpollPoller other = new EpollPoller(Kernel.system());
    assertThat(registration.claim(other)).isFalse();
    poller.close();
    assertThat(registration.claim(other)).isTrue();
    other.close();
    registration.end();
    assertThat(registration.claim(other)).isFalse();
  }

  @Test
  void whatTheKernelHasNoRoomFor_isAnErrorOfThatWaitAlone(Pipe pipe, Pipe other) {
    kernel.refused = pipe.readFd();
    kernel.errno = Errno.ENOSPC;
    Wait refused = add(pipe.readFd(), READ);
    Wait good = add(other.writeFd(), WRITE);
    assertThat(look()).containsExactlyInAnyOrder(refused, good);
    assertThat(refused.ready()).isEqualTo(-Errno.ENOSPC);
  }

  @Test
  void noDescriptorForTheInstance_isToldByTheLook_andTriedAgain(Pipe pipe) {
    int[] refusals = {1};
    Kernel refusing =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public int epollCreate1(int flags) {
            return refusals[0]-- > 0 ? -Errno.EMFILE : super.epollCreate1(flags);
          }
        };
    try (EpollPoller other = new EpollPoller(refusing)) {
      Wait wait = new PlainWait(pipe.writeFd(), WRITE, 0);
      other.add(wait);
      assertThatThrownBy(() -> other.poll(0, ready::add))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("epoll_create1")
          .hasMessageContaining("EMFILE");
      other.poll(0, ready::add);
      assertThat(ready).containsExactly(wait);
    }
  }

  @Test
  void interrupted_isToldOnlyByALookThatBlocks(Pipe pipe) {
    int[] left = {0};
    Kernel signalled =
        new ForwardingKernel(Kernel.system()) {
          @Override
          protected int look(long timeoutNanos, Look next) {
            return left[0]-- > 0 ? -Errno.EINTR : super.look(timeoutNanos, next);
          }
        };
    try (EpollPoller other = new EpollPoller(signalled)) {
      Wait wait = new PlainWait(pipe.writeFd(), WRITE, 0);
      other.add(wait);
      left[0] = 3;
      assertThat(other.poll(-1, ready::add)).isEqualTo(Poller.Look.INTERRUPTED);
      assertThat(ready).isEmpty();
      assertThat(other.poll(0, ready::add)).isEqualTo(Poller.Look.DONE);
      assertThat(ready).containsExactly(wait);
    }
  }
}
