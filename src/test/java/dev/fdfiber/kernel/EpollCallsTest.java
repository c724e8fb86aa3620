package dev.fdfiber.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.libc.epoll_event;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The calls of epoll(7), also where epoll_pwait2 is missing. */
@FdTest
class EpollCallsTest {
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aWaitByEitherCall_tellsWhatIsReady_andTakesItsTime(boolean byNanos) {
    Kernel kernel = new LinuxKernel(byNanos);
    int epollFd = kernel.epollCreate1(EpollEvents.EPOLL_CLOEXEC);
    try (Fds.Pair pipe = Fds.pipe();
        EpollEvents events = new EpollEvents(4)) {
      events.set(EpollEvents.EPOLLIN, pipe.a(), 77);
      assertThat(kernel.epollCtl(epollFd, EpollEvents.EPOLL_CTL_MOD, pipe.a(), events.array()))
          .isEqualTo(-Errno.ENOENT);
      assertThat(kernel.epollCtl(epollFd, EpollEvents.EPOLL_CTL_ADD, pipe.a(), events.array()))
          .isZero();
      long start = System.nanoTime();
      assertThat(kernel.epollPwait2(epollFd, events.array(), 4, 1_000_001)).isZero();
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(1_000_001);
      assertThat(kernel.epollPwait2(epollFd, events.array(), 4, 0)).isZero();
      Fds.write(pipe.b(), "x");
      assertThat(kernel.epollPwait2(epollFd, events.array(), 4, -1)).isOne();
      assertThat(events.events(0)).isEqualTo(EpollEvents.EPOLLIN);
      assertThat(events.fd(0)).isEqualTo(pipe.a());
      assertThat(events.number(0)).isEqualTo(77);
    }
    kernel.close(epollFd);
  }

  @Test
  void anErrorOfTheWait_isNotTakenForAMissingCall() {
    assertThat(new LinuxKernel(true).epollPwait2(-1, MemorySegment.NULL, 1, 0))
        .isEqualTo(-Errno.EBADF);
  }

  @ParameterizedTest
  @CsvSource({
    "-1, -1",
    "0, 0",
    "1, 1",
    "999999, 1",
    "1000000, 1",
    "1000001, 2",
    "1500000000, 1500",
    "9223372036854775807, 2147483647"
  })
  void millis_areRoundedUp(long nanos, int millis) {
    assertThat(LinuxKernel.millis(nanos)).isEqualTo(millis);
  }

  /** The bindings are generated on x86-64, where the struct is packed. */
  @Test
  void theLayout_isThatOfTheBindings_onX86() {
    Assumptions.assumeTrue(System.getProperty("os.arch").equals("amd64"));
    assertThat(EpollEvents.SIZE).isEqualTo(epoll_event.layout().byteSize());
    assertThat(EpollEvents.DATA).isEqualTo(epoll_event.data$offset());
  }
}
