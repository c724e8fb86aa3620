package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.ManualClock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is told of a program that does not go on: reports of held drivers, and dumps. */
@FdTest
@SuppressWarnings("FutureReturnValueIgnored") // nothing comes of them
class StuckTest {
  private static List<String> reports(Logged logged) {
    return logged.at(Level.WARNING).stream().filter(t -> t.contains("has held")).toList();
  }

  /**
   * What holds a driver until another thread ends it. That thread is there before the fiber: to
   * start one in the fiber takes its time, and would be a place where it holds the driver, too.
   */
  private static final class Hold {
    private final CountDownLatch begun = new CountDownLatch(1);
    private final AtomicBoolean over = new AtomicBoolean();

    /** Ends when, after its beginning, this has been done. */
    Hold(Elsewhere.Action ending) {
      Elsewhere.begin(() -> {
        begun.await();
        ending.run();
        over.set(true);
      });
    }

    /** Ends with so many reports. */
    static Hold untilReported(Logged logged, int reports) {
      return new Hold(() -> {
        while (reports(logged).size() < reports) {
          Thread.onSpinWait();
        }
      });
    }

    void here() {
      begun.countDown();
      while (!over.get()) {
        Thread.onSpinWait();
      }
    }

    void there() {
      begun.countDown();
      while (!over.get()) {
        Thread.onSpinWait();
      }
    }
  }

  /** For how many seconds a driver was held, says the report. */
  private static double seconds(String report) {
    Matcher matcher = Pattern.compile(" for (\\d+\\.\\d{3}) s, ").matcher(report);
    assertThat(matcher.find()).as(report).isTrue();
    return Double.parseDouble(matcher.group(1));
  }

  @Test
  @Tag("slow")
  void r22_aFiberThatHoldsTheDriver_isReportedOncePerPlace() {
    try (Logged logged = new Logged();
        Scheduler s = Scheduler.builder().name("held").heldLimit(Duration.ofMillis(20)).build()) {
      Hold first = Hold.untilReported(logged, 1);
      s.spawn("first", first::here);
      long start = System.nanoTime();
      s.run();
      double passed = (System.nanoTime() - start) / 1e9;
      String report = reports(logged).getFirst();
      assertThat(report)
          .startsWith("fiber first has held the driver of scheduler held for ")
          .contains("Blocking.call")
          .contains("at dev.fdfiber.StuckTest$Hold.here");
      assertThat(seconds(report)).isBetween(0.02, passed + 0.001); // it is rounded
      Hold other = Hold.untilReported(logged, 2);
      s.spawn("another place", other::there);
      s.run();
      Hold again = new Hold(() -> Thread.sleep(200)); // ten times the limit
      s.spawn("the first place again", again::here);
      s.run();
      assertThat(reports(logged)).hasSize(2);
    }
  }

  @Test
  void dump_ofAProgramThatHangs_tellsWhy() throws Exception {
    ManualClock clock = new ManualClock();
    Elsewhere.run(() -> {
      try (Fds.Pair pipe = Fds.pipe();
          Scheduler s = Scheduler.builder().name("stuck").clock(clock).build()) {
        assertThat(s.dump()).isEqualTo("scheduler stuck: 0 fibers, not being driven\n");
        LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
        Fiber takes = s.spawn("takes", () -> takeFrom(queue));
        s.spawn("joins", takes::join);
        s.spawn("waits", () -> Scheduler.ioWait(pipe.a(), Scheduler.READ, 1000));
        s.spawn(
            "owns",
            () -> {
              try (FiberScope scope = FiberScope.builder().name("batch").open()) {
                scope.fork(() -> queue.take());
                scope.join();
              }
            });
        s.spawn("shielded", () -> FiberScope.shield(() -> Scheduler.pause(0.5)));
        s.runUntilEmpty();
        String dump = s.dump();
        assertThat(dump)
            .startsWith(
                "scheduler stuck: 6 fibers, not being driven; thread elsewhere owns it\n"
                    + "  1 PAUSED  1 WAITING_IO  4 BLOCKED; queue 0, 1 waits in ")
            .contains("poll", ", 2 timers, the next in 0.500 s");
        assertThat(dump.lines().dropWhile(line -> !line.equals("fibers:")).skip(1))
            .satisfiesExactly(
                line ->
                    assertThat(line)
                        .matches(
                            "  #1 takes  BLOCKED  for [0-9.]+ s  in"
                                + " java.util.concurrent.LinkedBlockingQueue.take  at"
                                + " dev.fdfiber.StuckTest.takeFrom\\(StuckTest.java:\\d+\\)"),
                line ->
                    assertThat(line)
                        .startsWith("  #2 joins  BLOCKED")
                        .endsWith(", for fiber takes"),
                line ->
                    assertThat(line)
                        .contains("waits  WAITING_IO  fd " + pipe.a() + " READ (pipe:[")
                        .contains("in dev.fdfiber.Scheduler.ioWait  at dev.fdfiber.StuckTest."),
                line ->
                    assertThat(line)
                        .containsPattern(
                            "owns  BLOCKED  for [0-9.]+ s  in dev.fdfiber.FiberScope.join  at ")
                        .endsWith(", for fiber batch-1"),
                line -> assertThat(line).isEqualTo("    scope batch (open, 1 children)"),
                line -> assertThat(line).contains("batch-1  BLOCKED").contains("take"),
                line -> assertThat(line).contains("shielded  PAUSED").endsWith("; in a shield"));
        clock.advance(Duration.ofSeconds(1)); // the shield holds a close up
      }
    });
  }

  private static void takeFrom(LinkedBlockingQueue<String> queue) throws InterruptedException {
    assertThat(queue.take()).isNotNull();
  }
}
