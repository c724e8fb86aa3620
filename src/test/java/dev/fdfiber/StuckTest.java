package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Logged;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is told of a program that does not go on: reports of held drivers, and dumps. */
@FdTest
@SuppressWarnings("FutureReturnValueIgnored") // nothing comes of them
class StuckTest {
  private static List<String> reports(Logged logged) {
    return logged.at(Level.WARNING).stream().filter(t -> t.contains("has held")).toList();
  }

  private static void holdHere(AtomicBoolean over) {
    while (!over.get()) {
      Thread.onSpinWait();
    }
  }

  private static void holdThere(AtomicBoolean over) {
    while (!over.get()) {
      Thread.onSpinWait();
    }
  }

  /** True from the time on at which there are as many reports. */
  private static AtomicBoolean whenReported(Logged logged, int reports) {
    AtomicBoolean over = new AtomicBoolean();
    Elsewhere.begin(() -> {
      while (reports(logged).size() < reports) {
        Thread.onSpinWait();
      }
      over.set(true);
    });
    return over;
  }

  private static AtomicBoolean after(Duration time) {
    AtomicBoolean over = new AtomicBoolean();
    Elsewhere.begin(() -> {
      Thread.sleep(time); // the time is the subject
      over.set(true);
    });
    return over;
  }

  @Test
  @Tag("slow")
  void r22_aFiberThatHoldsTheDriver_isReportedOncePerPlace() {
    try (Logged logged = new Logged();
        Scheduler s = Scheduler.builder().name("held").heldLimit(Duration.ofMillis(20)).build()) {
      s.spawn("first", () -> holdHere(whenReported(logged, 1)));
      s.run();
      assertThat(reports(logged).getFirst())
          .startsWith("fiber first has held the driver of scheduler held for 0.")
          .contains("Blocking.call")
          .contains("at dev.fdfiber.StuckTest.holdHere");
      s.spawn("another place", () -> holdThere(whenReported(logged, 2)));
      s.run();
      s.spawn("the first place again", () -> holdHere(after(Duration.ofMillis(200))));
      s.run();
      assertThat(reports(logged)).hasSize(2);
    }
  }

  @Test
  void dump_ofAProgramThatHangs_tellsWhy() throws Exception {
    Elsewhere.run(() -> {
      try (Fds.Pair pipe = Fds.pipe();
          Scheduler s = Scheduler.builder().name("stuck").build()) {
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
            .contains("poll", ", 2 timers, the next in 0.");
        assertThat(dump.lines().dropWhile(line -> !line.equals("fibers:")).skip(1))
            .satisfiesExactly(
                line ->
                    assertThat(line)
                        .matches(
                            "  #1 takes  BLOCKED  for [0-9.]+ s  in java.util.concurrent.LinkedBlockingQueue.take"
                                + "  at dev.fdfiber.StuckTest.takeFrom\\(StuckTest.java:\\d+\\)"),
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
      }
    });
  }

  private static void takeFrom(LinkedBlockingQueue<String> queue) throws InterruptedException {
    assertThat(queue.take()).isNotNull();
  }
}
