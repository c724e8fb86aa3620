package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Opened;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@FdTest
@ExtendWith(LeftBehind.class)
class EventFdTest {
  private static final long FULL = -2; // 2^64 - 2, unsigned

  @EachPlace
  void counter_givesAllAtOnce_andParksAtZero(Where where) throws Exception {
    where.run(() -> {
      try (EventFd counter = EventFd.counter(3)) {
        assertThat(counter.add(4, Duration.ofMinutes(1))).isEqualTo(4);
        assertThat(counter.take()).isEqualTo(7);
        assertThat(counter.take(Duration.ZERO)).isEmpty();
        List<Long> taken = new ArrayList<>();
        Where.Beside taker = Where.start(() -> taken.add(counter.take()));
        counter.add(5);
        taker.join();
        assertThat(taken).containsExactly(5L);
      }
    });
  }

  @EachPlace
  void semaphore_givesOneAtATime(Where where) throws Exception {
    where.run(() -> {
      try (EventFd semaphore = EventFd.semaphore(2)) {
        assertThat(semaphore.take()).isEqualTo(1);
        assertThat(semaphore.take()).isEqualTo(1);
        assertThat(semaphore.take(Duration.ofNanos(1))).isEmpty();
      }
    });
  }

  @EachPlace
  void counterAtItsLimit_parksTheAdder(Where where) throws Exception {
    where.run(() -> {
      try (EventFd counter = EventFd.counter(0)) {
        counter.add(Long.MAX_VALUE);
        counter.add(Long.MAX_VALUE);
        assertThat(counter.add(10, Duration.ZERO)).as("no room").isZero();
        Where.Beside adder = Where.start(() -> counter.add(10));
        assertThat(counter.take()).isEqualTo(FULL);
        adder.join();
        assertThat(counter.take()).isEqualTo(10);
      }
    });
  }

  @EachPlace
  void whatFitsInPart_goesInPieces(Where where) throws Exception {
    where.run(() -> {
      try (EventFd semaphore = EventFd.semaphore(0)) {
        semaphore.add(Long.MAX_VALUE);
        semaphore.add(Long.MAX_VALUE - 3);
        assertThat(semaphore.add(10, Duration.ZERO)).isEqualTo(3);
        assertThat(semaphore.add(10, Duration.ZERO)).isZero();
        assertThat(semaphore.take()).isEqualTo(1);
        assertThat(semaphore.add(10, Duration.ofNanos(1))).isEqualTo(1);
      }
    });
  }

  @EachPlace
  void waits_endByCancelAndByClose(Where where) throws Exception {
    where.run(() -> {
      try (EventFd counter = EventFd.counter(0)) {
        Where.assertCancellable(counter::take);
        counter.add(1);
        assertThat(counter.take()).isEqualTo(1);
        Where.assertWokenByClose(counter::take, counter);
      }
    });
  }

  @Test
  void badInput_isRefused() throws Exception {
    assertThatThrownBy(() -> EventFd.counter(-1)).isInstanceOf(IllegalArgumentException.class);
    try (EventFd counter = EventFd.counter(0)) {
      assertThat(Opened.isCloseOnExec(counter.fd())).isTrue();
      assertThatThrownBy(() -> counter.add(0)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> counter.add(-1)).isInstanceOf(IllegalArgumentException.class);
      assertThat(counter).hasToString("eventfd fd " + counter.fd());
    }
  }
}
