package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Schedulers that nobody closes: they give their eventfd back when nobody can reach them. */
@FdTest
@Tag("slow")
class AbandonedSchedulerTest {
  private static final int MANY = 50;
  private static final long TIME_NANOS = 30_000_000_000L;

  private static long eventfds() {
    return Fds.open().values().stream().filter(t -> t.contains("[eventfd")).count();
  }

  /** Collects until there are no more than so many eventfds, or the time is up. */
  private static void collectDownTo(long most) {
    long start = System.nanoTime();
    while (eventfds() > most && System.nanoTime() - start < TIME_NANOS) {
      System.gc();
    }
    assertThat(eventfds()).isLessThanOrEqualTo(most);
  }

  /** Has an eventfd from then on: there is a look that may block, though a stop is pending. */
  private static void blocks(Scheduler s) {
    Fiber parked = s.spawn(() -> LockSupport.park());
    s.runUntilEmpty();
    s.stop();
    s.run();
    LockSupport.unpark(parked.thread());
    s.run();
    assertThat(parked.isAlive()).isFalse();
  }

  @Test
  void current_inThreadsThatEnd_givesItsDescriptorBack() throws Exception {
    long before = eventfds();
    for (int i = 0; i < MANY; i++) {
      Elsewhere.run(() -> {
        blocks(Scheduler.current());
        assertThat(eventfds()).isPositive();
      });
    }
    collectDownTo(before);
  }

  @Test
  void current_inThreadsThatAreAlive_keepsItsDescriptor() throws Exception {
    long before = eventfds();
    Scheduler s = Scheduler.current();
    blocks(s);
    System.gc();
    assertThat(eventfds()).isGreaterThan(before);
    blocks(Scheduler.current());
    s.close();
    assertThat(eventfds()).isEqualTo(before);
  }

  @Test
  void schedulerThatIsDropped_givesItsDescriptorBack() throws Exception {
    long before = eventfds();
    Elsewhere.run(() -> {
      for (int i = 0; i < MANY; i++) {
        blocks(Scheduler.create());
      }
      assertThat(eventfds()).isGreaterThan(before);
    });
    collectDownTo(before);
  }
}
