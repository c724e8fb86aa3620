package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.FdChannel;
import dev.fdfiber.FiberScope;
import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.VirtualClock;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What every type keeps to, in fibers on each poller and outside; subclasses name the types. */
@ExtendWith(LeftBehind.class)
abstract class TypeContract {
  private static final Duration NEVER = Subject.NEVER;
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration MOMENT = Duration.ofNanos(1);

  static Stream<Arguments> everywhere(List<Row> rows) {
    return rows.stream()
        .flatMap(row -> Where.all().stream().map(where -> Arguments.of(row, where)));
  }

  @ParameterizedTest
  @MethodSource("places")
  void timeThatIsUp_isToldAsNothing_andWhatComesThenIsGot(Row row, Where where) throws Exception {
    where.run(() -> {
      try (Subject subject = row.make()) {
        assertThat(subject.await(Duration.ZERO)).isFalse();
        assertThat(subject.await(MOMENT)).isFalse();
        subject.arrive().run();
        assertThat(subject.await(HOUR)).isTrue();
      }
    });
  }

  @ParameterizedTest
  @MethodSource("places")
  void cancel_endsTheWait_andTheObjectGoesOn(Row row, Where where) throws Exception {
    where.run(() -> {
      try (Subject subject = row.make()) {
        Where.assertCancellable(subject::await);
        subject.arrive().run();
        assertThat(subject.await(HOUR)).isTrue();
      }
    });
  }

  @ParameterizedTest
  @MethodSource("places")
  void deadlineOfAScope_endsTheWait_andTheObjectGoesOn(Row row, Where where) throws Exception {
    if (!where.isFiber()) {
      return; // a scope is opened in a fiber
    }
    where.run(() -> {
      try (Subject subject = row.make()) {
        List<Throwable> thrown = new ArrayList<>();
        try (FiberScope scope = FiberScope.open(Duration.ofMillis(2))) {
          Future<Boolean> child =
              scope.fork(() -> {
                try {
                  return subject.await(NEVER);
                } catch (InterruptedIOException e) {
                  thrown.add(e);
                  throw e;
                }
              });
          assertThatThrownBy(scope::join).isInstanceOf(TimeoutException.class);
          assertThat(child.isDone()).isTrue();
        }
        assertThat(thrown).as("the wait in a child").hasSize(1);
        try (FiberScope scope = FiberScope.open(Duration.ofMillis(2))) {
          assertThatThrownBy(subject::await)
              .as("the wait of the owner")
              .isInstanceOf(InterruptedIOException.class);
          assertThatThrownBy(scope::join).isInstanceOf(TimeoutException.class);
        }
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        subject.arrive().run();
        assertThat(subject.await(HOUR)).isTrue();
      }
    });
  }

  @ParameterizedTest
  @MethodSource("places")
  void close_wakesTheWaiter_freesTheDescriptor_andCanBeRepeated(Row row, Where where)
      throws Exception {
    where.run(() -> {
      try (Subject subject = row.make()) {
        if (subject.object() == null) {
          return;
        }
        if (where.isFiber()) {
          Where.Beside waiter = Where.start(subject::await);
          subject.object().close();
          assertThatThrownBy(waiter::join).isInstanceOf(ClosedChannelException.class);
        }
        subject.object().close();
        if (row.isOwner()) {
          assertThat(Fds.isOpen(subject.fd())).isFalse();
          int reused = Opened.eventFd();
          int same = reused == subject.fd() ? reused : Opened.dupFrom(subject.fd(), reused);
          subject.object().close();
          assertThat(Fds.isOpen(same)).as("closed again, it leaves the number alone").isTrue();
          Fds.close(same);
          if (same != reused) {
            Fds.close(reused);
          }
        }
        subject.object().close();
      }
    });
  }

  @ParameterizedTest
  @MethodSource("rows")
  void descriptor_isCloseOnExec(Row row) throws Exception {
    try (Subject subject = row.make()) {
      if (row.isOwner()) {
        assertThat(Opened.isCloseOnExec(subject.fd())).isTrue();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("places")
  void channel_thatItHandsOut_waitsLikeItself_andEndsWithIt(Row row, Where where) throws Exception {
    where.run(() -> {
      try (Subject subject = row.make()) {
        FdChannel channel = subject.channel();
        if (channel == null) {
          return;
        }
        assertThat(channel.fd()).isEqualTo(subject.fd());
        assertThat(channel.read(one(), MOMENT)).isZero();
        Where.assertCancellable(() -> channel.read(one()));
        assertThat(channel.isOpen()).isTrue();
        ByteBuffer read = ByteBuffer.allocate(2000);
        Where.Beside reader = Where.start(() -> channel.read(read));
        subject.arrive().run();
        reader.join();
        assertThat(read.position()).isPositive();
        subject.object().close();
        assertThat(channel.isOpen()).isFalse();
        assertThatThrownBy(() -> channel.read(one())).isInstanceOf(ClosedChannelException.class);
      }
    });
  }

  private static ByteBuffer one() {
    return ByteBuffer.allocate(1);
  }

  @ParameterizedTest
  @MethodSource("rows")
  void harness_letsAnHourPassInsideTheTest_andNamesWhoHoldsTheClockOutside(
      Row row, Scheduler scheduler, VirtualClock clock) throws Exception {
    List<Duration> waited = new ArrayList<>();
    List<Integer> fds = new ArrayList<>();
    List<String> holders = new ArrayList<>();
    boolean inside = row.holder().isEmpty();
    scheduler.spawn(
        "waiter",
        () -> {
          try (Subject subject = row.make()) {
            fds.add(subject.fd());
            Elsewhere<String> arrival =
                inside ? null : Elsewhere.start(() -> arrive(subject, clock));
            if (inside) {
              assertThat(subject.await(HOUR)).isFalse();
              waited.add(clock.elapsed());
              subject.arrive().run();
            }
            assertThat(subject.await(HOUR)).isTrue();
            waited.add(clock.elapsed());
            if (arrival != null) {
              holders.add(arrival.result());
            }
          }
        });
    scheduler.run();
    if (inside) {
      assertThat(waited).containsExactly(HOUR, HOUR);
    } else {
      assertThat(waited).containsExactly(Duration.ZERO);
      assertThat(holders.getFirst())
          .startsWith("fiber \"waiter\" waits for fd " + fds.getFirst() + " (")
          .endsWith(row.holder());
    }
  }

  /** Lets it come once the clock has seen that it must not jump; returns why not. */
  private static String arrive(Subject subject, VirtualClock clock) throws Exception {
    String own = " fd " + subject.fd() + " ("; // making it may have held the clock, too
    while (!clock.heldBy().orElse("").contains(own)) {
      Thread.onSpinWait();
    }
    String holder = clock.heldBy().orElseThrow();
    subject.arrive().run();
    return holder;
  }
}
