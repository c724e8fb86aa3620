package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/** The limit on real time, by itself; FdTestTest has it as users see it. */
class TimeLimitTest {
  @FdTest
  void over_interruptsAgainAndAgain_thoughTheDumpFails() {
    CountDownLatch never = new CountDownLatch(1);
    TimeLimit limit =
        new TimeLimit(
            Duration.ofMillis(1),
            () -> {
              throw new AssertionError("not now");
            });
    try (limit) {
      assertThatThrownBy(never::await).isInstanceOf(InterruptedException.class);
      assertThatThrownBy(never::await).isInstanceOf(InterruptedException.class);
    }
    assertThat(limit.message())
        .contains("took longer than")
        .contains("no dump")
        .contains("not now");
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }
}
