package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Place;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.extension.ExtendWith;

@FdTest
@ExtendWith(LeftBehind.class)
class TimerFdTest {
  private static final Duration SHORT = Duration.ofMillis(2);
  private static final Duration LONG = Duration.ofHours(1);

  @EachPlace
  void oneShot_expiresOnce_andNotEarly(Where where) throws Exception {
    where.run(() -> {
      long start = System.nanoTime();
      try (TimerFd timer = TimerFd.after(SHORT)) {
        assertThat(timer.await()).isEqualTo(new TimerFd.Expired(1));
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(SHORT.toNanos());
        assertThat(timer.left()).isEmpty();
        assertThat(timer.await(Duration.ZERO)).isEmpty();
      }
    });
  }

  @EachPlace
  void periodic_tellsHowManyWereMissed(Where where) throws Exception {
    where.run(() -> {
      try (TimerFd timer = TimerFd.every(SHORT)) {
        long start = System.nanoTime(); // it runs already
        while (System.nanoTime() - start < 5 * SHORT.toNanos()) {
          Thread.onSpinWait(); // too busy to be told
        }
        TimerFd.Expired late = (TimerFd.Expired) timer.await();
        assertThat(late.times()).isGreaterThanOrEqualTo(4);
        assertThat(late.missed()).isEqualTo(late.times() - 1);
        assertThat(timer.await()).isInstanceOf(TimerFd.Expired.class);
        timer.stop();
        assertThat(timer.await(Duration.ZERO)).isEmpty();
      }
    });
  }

  @EachPlace
  void absolute_pastAndFuture(Where where) throws Exception {
    where.run(() -> {
      for (Instant past : new Instant[] {Instant.EPOCH, Instant.MIN, Instant.now()}) {
        try (TimerFd timer = TimerFd.at(past)) {
          assertThat(timer.await()).isEqualTo(new TimerFd.Expired(1));
        }
      }
      try (TimerFd timer = TimerFd.at(Instant.now().plus(LONG))) {
        assertThat(timer.await(SHORT)).isEmpty();
        assertThat(timer.left().orElseThrow()).isLessThanOrEqualTo(LONG).isPositive();
        timer.set(Instant.now());
        assertThat(timer.await()).isEqualTo(new TimerFd.Expired(1));
      }
    });
  }

  @EachPlace
  void waits_endByCancelAndByClose(Where where) throws Exception {
    where.run(() -> {
      try (TimerFd timer = TimerFd.after(LONG)) {
        Where.assertCancellable(timer::await);
        timer.set(SHORT, Duration.ZERO);
        assertThat(timer.await()).isEqualTo(new TimerFd.Expired(1));
        Where.assertWokenByClose(timer::await, timer);
      }
    });
  }

  @Test
  void clockThatWasSet_isTold() throws Exception {
    Kernel cancels =
        new ForwardingKernel(Kernel.system()) {
          private boolean told;

          @Override
          public long read(int fd, MemorySegment buffer, long count) {
            told = !told;
            return told ? -Errno.ECANCELED : super.read(fd, buffer, count);
          }

          @Override
          public int timerfdSettime(int fd, int flags, MemorySegment newValue) {
            int result = super.timerfdSettime(fd, flags, newValue);
            return flags == 0 ? result : -Errno.ECANCELED;
          }
        };
    try (Scheduler s = Scheduler.builder().kernel(cancels).build()) {
      Place.in(
          s,
          () -> {
            try (TimerFd timer = TimerFd.at(Instant.now())) {
              assertThat(timer.await()).as("told by the set").isEqualTo(new TimerFd.ClockSet());
              assertThat(timer.await()).as("told by the read").isEqualTo(new TimerFd.ClockSet());
              assertThat(timer.await()).isEqualTo(new TimerFd.Expired(1));
            }
          });
    }
  }

  /** Sets the clock of the machine, to what it is: only where somebody says so, as root. */
  @EachPlace
  @EnabledIfEnvironmentVariable(named = "FDFIBER_SET_CLOCK", matches = "1")
  void clockThatIsSet_isTold(Where where) throws Exception {
    where.run(() -> {
      try (TimerFd timer = TimerFd.at(Instant.now().plus(LONG))) {
        Process date = new ProcessBuilder("sh", "-c", "date -s @$(date +%s.%N)").start();
        assertThat(timer.await()).isEqualTo(new TimerFd.ClockSet());
        assertThat(date.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(timer.await(SHORT)).isEmpty();
        assertThat(timer.left()).isPresent();
      }
    });
  }

  @Test
  void longTimes_areNoneTooLong() throws Exception {
    Duration longest = Duration.ofSeconds(Long.MAX_VALUE, 999_999_999);
    try (TimerFd timer = TimerFd.after(longest)) {
      assertThat(timer.left().orElseThrow()).isGreaterThan(Duration.ofDays(365 * 100));
      timer.set(SHORT, longest);
      assertThat(timer.await()).isEqualTo(new TimerFd.Expired(1));
      timer.set(Instant.MAX);
      assertThat(timer.await(Duration.ZERO)).isEmpty();
    }
    try (TimerFd timer = TimerFd.every(longest)) {
      assertThat(timer.await(Duration.ZERO)).isEmpty();
    }
  }

  @Test
  void badInput_isRefused() throws Exception {
    for (Duration none : new Duration[] {Duration.ZERO, Duration.ofNanos(-1)}) {
      assertThatThrownBy(() -> TimerFd.after(none)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> TimerFd.every(none)).isInstanceOf(IllegalArgumentException.class);
    }
    try (TimerFd timer = TimerFd.after(LONG)) {
      assertThat(Opened.isCloseOnExec(timer.fd())).isTrue();
      assertThatThrownBy(() -> timer.set(LONG, Duration.ofNanos(-1)))
          .isInstanceOf(IllegalArgumentException.class);
      timer.close();
      assertThatThrownBy(timer::left).isInstanceOf(java.nio.channels.ClosedChannelException.class);
      assertThat(timer.toString()).startsWith("timerfd fd ").endsWith(", closed");
    }
  }
}
