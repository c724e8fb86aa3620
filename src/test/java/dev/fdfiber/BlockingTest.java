package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Place;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What would hold the driver runs elsewhere, while its fiber is parked. */
@FdTest
class BlockingTest {
  @Test
  void call_inAFiber_runsInAPlatformThread_whileOthersGoOn(Scheduler s) throws Exception {
    CountDownLatch timers = new CountDownLatch(1);
    s.spawn(() -> {
      for (int i = 0; i < 3; i++) {
        Scheduler.pause(0.001);
      }
      assertThat(s.blockingCount()).isEqualTo(1);
      timers.countDown();
    });
    Place.in(
        s,
        () -> {
          Thread thread =
              Blocking.call(() -> {
                timers.await();
                return Thread.currentThread();
              });
          assertThat(thread.isVirtual()).isFalse();
          assertThat(thread.getName()).startsWith("fdfiber-blocking-");
          assertThat(thread.isDaemon()).isTrue();
        });
    assertThat(s.blockingCount()).isZero();
  }

  @Test
  void call_outsideAFiber_runsHere() throws Exception {
    assertThat(Blocking.call(Thread::currentThread)).isSameAs(Thread.currentThread());
  }

  @Test
  void call_thatThrows_throwsThat(Scheduler s) throws Exception {
    IOException own = new IOException("own");
    AssertionError error = new AssertionError("own error");
    Place.in(
        s,
        () -> {
          assertThatThrownBy(() -> Blocking.call(() -> thrown(own))).isSameAs(own);
          assertThatThrownBy(() -> Blocking.call(() -> thrown(error))).isSameAs(error);
        });
  }

  private static String thrown(Throwable t) throws Exception {
    if (t instanceof Error e) {
      throw e;
    }
    throw (Exception) t;
  }

  @Test
  void call_cancelled_interruptsTheBody_andThrowsAtOnce(Scheduler s) throws Exception {
    LinkedBlockingQueue<String> seen = new LinkedBlockingQueue<>();
    CountDownLatch release = new CountDownLatch(1);
    Fiber fiber =
        s.spawn(
            "calls",
            () ->
                Blocking.call(() -> {
                  seen.add("begun");
                  try {
                    new CountDownLatch(1).await();
                  } catch (InterruptedException e) {
                    seen.add("interrupted");
                    release.await(); // it takes its time, and the fiber does not wait for that
                  }
                  return "";
                }));
    s.spawn(() -> {
      seen.take();
      fiber.cancel();
    });
    s.run();
    assertThat(fiber.failure()).get().isInstanceOf(InterruptedException.class);
    assertThat(s.blockingCount()).isZero();
    assertThat(seen.take()).isEqualTo("interrupted");
    release.countDown();
  }

  @Test
  void call_pastADeadline_isATimeout_inAShieldItWaits(Scheduler s) throws Exception {
    Place.in(
        s,
        () -> {
          assertThatThrownBy(() ->
                  FiberScope.within(
                      Duration.ofMillis(5),
                      () -> Blocking.call(() -> new LinkedBlockingQueue<String>().take())))
              .isInstanceOf(TimeoutException.class);
          Fiber me = Fiber.current();
          FiberScope.shield(() ->
              assertThat(
                      Blocking.call(() -> {
                        me.cancel();
                        me.thread().interrupt();
                        return "waited";
                      }))
                  .isEqualTo("waited"));
          assertThat(Thread.interrupted()).isTrue();
        });
  }

  /**
   * In a JVM of its own: with two threads, the third call waits, and one that is cancelled never
   * begins.
   */
  public static final class TwoThreads {
    private TwoThreads() {}

    public static void main(String[] args) throws Exception {
      CountDownLatch release = new CountDownLatch(1);
      AtomicInteger most = new AtomicInteger();
      AtomicInteger now = new AtomicInteger();
      List<String> ran = new ArrayList<>();
      try (Scheduler s = Scheduler.builder().name("two").build()) {
        List<Fiber> fibers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          String name = "call-" + i;
          fibers.add(
              s.spawn(
                  name,
                  () ->
                      ran.add(
                          Blocking.call(() -> {
                            most.accumulateAndGet(now.incrementAndGet(), Math::max);
                            release.await();
                            now.decrementAndGet();
                            return name;
                          }))));
        }
        s.spawn(() -> {
          while (now.get() < 2) {
            Scheduler.pause(0.001);
          }
          System.out.print(s.dump());
          fibers.get(2).cancel();
          fibers.get(2).join();
          release.countDown();
        });
        s.run();
      }
      System.out.println(ran.stream().sorted().toList() + " at most " + most);
    }
  }

  @Test
  @Tag("slow")
  void aFullPool_queues_andDumpSaysSo(@TempDir Path dir) throws Exception {
    List<String> flags = new ArrayList<>(ChildJvm.FIBER_FLAGS);
    flags.add("-D" + Blocking.THREADS_PROPERTY + "=2");
    ChildJvm.Result result = new ChildJvm(flags).run(dir, TwoThreads.class.getName());
    assertThat(result.errors()).isEmpty();
    assertThat(result.out())
        .containsPattern("call-0  BLOCKED .*in Blocking.call, runs in thread fdfiber-blocking-1")
        .containsPattern(
            "call-3  BLOCKED .*in Blocking.call, waits for a thread: 2 of 2 are busy, 2 calls wait")
        .endsWith("[call-0, call-1, call-3] at most 2\n");
  }
}
