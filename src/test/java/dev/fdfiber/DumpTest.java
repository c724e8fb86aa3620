package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.TimeKernel;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.util.DefaultLocale;

/**
 * What {@link Scheduler#dump} tells of a program that does not go on, and that it disturbs none.
 */
@FdTest
class DumpTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final AtomicBoolean over = new AtomicBoolean();

  /** The beginning of a dump, where the culprit has to be. */
  private static String firstTen(String dump) {
    return String.join("\n", dump.lines().limit(10).toList());
  }

  private void holdHere(CountDownLatch held) {
    held.countDown();
    while (!over.get()) {
      Thread.onSpinWait();
    }
  }

  @Test
  @Tag("slow") // the driver gets a second to come
  void dump_whileAFiberHoldsTheDriver_namesItAndItsPlace_andShowsTheOthers() throws Exception {
    CountDownLatch held = new CountDownLatch(1);
    try (Scheduler s = Scheduler.create();
        Fds.Pair pipe = Fds.pipe()) {
      for (int i = 0; i < 20; i++) {
        s.spawn("waits", () -> Scheduler.ioWait(pipe.a(), READ, -1));
      }
      s.spawn("hog", () -> holdHere(held));
      Elsewhere<String> dump =
          Elsewhere.start(() -> {
            held.await();
            try {
              return s.dump();
            } finally {
              over.set(true);
            }
          });
      s.runUntilEmpty();
      assertThat(firstTen(dump.result()))
          .contains("likely culprit: fiber #21 hog holds the driver")
          .contains("at dev.fdfiber.DumpTest.holdHere(DumpTest.java:");
      assertThat(dump.result().lines().filter(line -> line.contains("waits  WAITING_IO")))
          .hasSize(20);
    }
  }

  @Test
  void dump_tellsForHowLong_andHowMuchIsLeft() {
    ManualClock clock = new ManualClock();
    try (Scheduler s = Scheduler.builder().clock(clock).kernel(new TimeKernel(clock)).build()) {
      s.spawn("sleeper", () -> Scheduler.pause(10));
      s.spawn("waker", () -> Scheduler.pause(4));
      s.runFor(4);
      assertThat(s.dump()).containsPattern("#1 sleeper  PAUSED  for 4\\.000 s, 6\\.000 s left");
    }
  }

  @Test
  @DefaultLocale("de-DE")
  void dump_whereACommaIsThePoint_isTheSame() {
    ManualClock clock = new ManualClock();
    try (Scheduler s = Scheduler.builder().clock(clock).kernel(new TimeKernel(clock)).build()) {
      for (int i = 0; i < 1_000; i++) {
        s.spawn(() -> Scheduler.pause(1.5));
      }
      s.runUntilEmpty();
      assertThat(s.dump()).contains("the next in 1.500 s", "1,000 fibers at:", ", 1.500 s left");
    }
  }

  @Test
  void dump_ofTwoFibersThatWaitOnEachOthersPipe_namesBoth() throws Exception {
    try (Scheduler s = Scheduler.create();
        Fds.Pair one = Fds.pipe();
        Fds.Pair other = Fds.pipe()) {
      s.spawn("asks", () -> waitThenWrite(one.a(), other.b()));
      s.spawn("answers", () -> waitThenWrite(other.a(), one.b()));
      s.runUntilEmpty();
      assertThat(firstTen(s.dump()))
          .contains("likely culprit: no fiber can go on")
          .containsPattern(
              "#1 asks  WAITING_IO  fd %d READ \\(pipe:\\[\\d+] read end; the other end is fd %d\\)"
                  .formatted(one.a(), one.b()))
          .contains("#2 answers")
          .contains("in dev.fdfiber.Scheduler.ioWait  at dev.fdfiber.DumpTest.waitThenWrite");
    }
  }

  private static void waitThenWrite(int readFd, int writeFd) throws Exception {
    Scheduler.ioWait(readFd, READ, -1);
    Fds.write(writeFd, "x");
  }

  @Test
  void dump_ofTwoFibersThatReadFromEachOther_namesTheCircle() throws Exception {
    try (Scheduler s = Scheduler.create();
        Fds.Pair pair = Fds.socketPair()) {
      s.spawn("pauses", () -> Scheduler.pause(1000));
      s.spawn("left", () -> Scheduler.ioWait(pair.a(), READ, -1));
      s.spawn("right", () -> Scheduler.ioWait(pair.b(), READ, -1));
      s.runUntilEmpty();
      assertThat(firstTen(s.dump()))
          .contains("likely culprit: each of these fibers waits for the next")
          .contains("the other end is fd " + pair.b() + ", which #3 right waits for")
          .contains("the other end is fd " + pair.a() + ", which #2 left waits for");
    }
  }

  @Test
  void dump_ofFibersThatJoinEachOther_namesTheCircle() {
    try (Scheduler s = Scheduler.create()) {
      Fiber[] fibers = new Fiber[2];
      s.spawn("pauses", () -> Scheduler.pause(1000));
      fibers[0] = s.spawn("first", () -> fibers[1].join());
      fibers[1] = s.spawn("second", () -> fibers[0].join());
      s.runUntilEmpty();
      assertThat(firstTen(s.dump()))
          .contains("each of these fibers waits for the next")
          .contains("#2 first  BLOCKED")
          .contains(", for fiber second")
          .contains(", for fiber first");
    }
  }

  @Test
  void dump_ofFibersThatAreReadyAndNotDriven_saysSo() throws Exception {
    try (Scheduler s = Scheduler.create()) {
      s.spawn("a", () -> {});
      s.spawn("b", () -> {});
      s.tick(0);
      Thread main = Thread.currentThread();
      Elsewhere<String> dump =
          Elsewhere.start(() -> {
            while (main.getState() != Thread.State.TIMED_WAITING) {
              Thread.onSpinWait(); // until it is in the call that the dump is to name
            }
            return s.dump();
          });
      assertThat(dump.result())
          .contains("nobody drives it, and 1 fibers are ready")
          .contains("; thread main is in java.util.concurrent.FutureTask.get  at dev.fdfiber.");
    }
  }

  @Test
  void dump_showsEqualStacksOnce() throws Exception {
    try (Scheduler s = Scheduler.create()) {
      for (int i = 0; i < 1_000; i++) {
        s.spawn("p" + i, () -> Scheduler.pause(1000));
      }
      s.runUntilEmpty();
      String dump = s.dump();
      assertThat(dump)
          .contains("1,000 fibers at: #1 p0, #2 p1, ", "#8 p7 and 992 more\n")
          .containsOnlyOnce("    at dev.fdfiber.Scheduler.pause(");
      assertThat(dump.lines().filter(line -> line.contains("  PAUSED  "))).hasSize(1_000);
    }
  }

  @Test
  @SuppressWarnings("FutureReturnValueIgnored") // nothing comes of them
  void dump_showsFibersBelowWhoForkedThem() throws Exception {
    LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
    try (Scheduler s = Scheduler.create()) {
      s.spawn(
          "owner",
          () -> {
            try (FiberScope outer = FiberScope.builder().name("outer").open()) {
              outer.fork(() -> {
                try (FiberScope inner = FiberScope.builder().name("inner").open()) {
                  inner.fork(() -> queue.take());
                  inner.join();
                }
                return null;
              });
              outer.join();
            }
          });
      s.spawn("alone", () -> Scheduler.pause(1000));
      s.runUntilEmpty();
      List<String> tree = s.dump().lines().dropWhile(line -> !line.equals("fibers:")).toList();
      assertThat(tree)
          .satisfiesExactly(
              line -> assertThat(line).isEqualTo("fibers:"),
              line -> assertThat(line).startsWith("  #1 owner  BLOCKED"),
              line -> assertThat(line).isEqualTo("    scope outer (open, 1 children)"),
              line -> assertThat(line).startsWith("      #3 outer-1  BLOCKED"),
              line -> assertThat(line).isEqualTo("        scope inner (open, 1 children)"),
              line ->
                  assertThat(line).matches(" {10}#4 inner-1  BLOCKED  for [0-9.]+ s  in java\\..*"),
              line -> assertThat(line).startsWith("  #2 alone  PAUSED"));
    }
  }

  @Test
  void dump_byAFiber_ofItsOwnSchedulerAndOfAnother_hasEveryStack() throws Exception {
    List<String> dumps = new ArrayList<>();
    try (Scheduler other = Scheduler.create();
        Scheduler s = Scheduler.create()) {
      other.spawn("there", () -> Scheduler.pause(1000));
      other.runUntilEmpty();
      s.spawn("beside", () -> Scheduler.pause(1000));
      s.spawn(
          "asks",
          () -> {
            dumps.add(s.dump());
            dumps.add(other.dump());
          });
      s.runUntilEmpty();
    }
    assertThat(dumps.get(0))
        .containsPattern(
            "#2 asks  RUNNING  for [0-9.]+ s  in dev.fdfiber.Scheduler.dump  at"
                + " dev.fdfiber.DumpTest.")
        .contains("#1 beside  PAUSED")
        .doesNotContain("at dev.fdfiber.Census");
    assertThat(dumps.get(1)).contains("1 fiber at: #1 there\n    at dev.fdfiber.Scheduler.pause");
  }

  @Test
  void dump_ofAName_staysOnItsLine() {
    try (Scheduler s = Scheduler.create()) {
      s.spawn("two\nlines\u001b[31m", () -> Scheduler.pause(1000));
      s.runUntilEmpty();
      assertThat(s.dump()).contains("#1 two?lines?[31m  PAUSED");
    }
  }

  // ---- and it disturbs nobody

  private static List<String> run(Consumer<Scheduler> meanwhile) throws Exception {
    List<String> log = new ArrayList<>();
    ManualClock clock = new ManualClock();
    try (Fds.Pair pipe = Fds.pipe();
        Scheduler s = Scheduler.builder().clock(clock).kernel(new TimeKernel(clock)).build()) {
      Fds.write(pipe.b(), "always ready");
      for (int f = 0; f < 6; f++) {
        String name = "f" + f;
        int kind = f % 3;
        s.spawn(
            name,
            () -> {
              for (int i = 0; i < 500; i++) {
                log.add(name + "." + i);
                switch (kind) {
                  case 0 -> Scheduler.pause(Duration.ofNanos(1 + i % 3));
                  case 1 -> Scheduler.ioWait(pipe.a(), READ, 10);
                  default -> Scheduler.pause(0);
                }
              }
            });
      }
      meanwhile.accept(s);
      s.run();
    }
    return log;
  }

  @Test
  @Tag("slow")
  void r2_dumpsByAnotherThread_changeNoOrder() throws Exception {
    List<String> undisturbed = run(s -> {});
    List<Elsewhere<Void>> watchers = new ArrayList<>();
    List<String> watched = run(s -> watchers.add(dumpsUntilClosed(s)));
    watchers.getFirst().result();
    assertThat(watched).isEqualTo(undisturbed);
  }

  /** Another thread that dumps all the time; it has begun, since a new one may come too late. */
  private static Elsewhere<Void> dumpsUntilClosed(Scheduler s) {
    CountDownLatch begun = new CountDownLatch(1);
    Elsewhere<Void> watcher =
        Elsewhere.begin(() -> {
          while (!s.dump().endsWith(": closed\n")) {
            begun.countDown();
          }
        });
    try {
      begun.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    return watcher;
  }

  /** A thread that dumps stands in for the driver while there is none, and the first one waits. */
  @Test
  @Tag("slow")
  void r7_dumpsByAnotherThread_keepNobodyFromDriving() throws Exception {
    for (int round = 0; round < 300; round++) {
      try (Scheduler s = Scheduler.create()) {
        CountDownLatch begun = new CountDownLatch(1);
        Elsewhere<Void> dumps =
            Elsewhere.begin(() -> {
              while (!over.get()) {
                assertThat(s.dump()).startsWith("scheduler unnamed: ");
                begun.countDown();
              }
            });
        begun.await();
        for (int i = 0; i < 20; i++) {
          Fiber fiber = s.spawn(() -> Scheduler.pause(0));
          s.run();
          assertThat(fiber.isAlive()).isFalse();
        }
        over.set(true);
        dumps.result();
      }
      over.set(false);
    }
  }

  /** What is done is counted in what it allocates, which no busy machine changes. */
  @Test
  @Tag("slow")
  void dump_ofTenTimesTheFibersThatWaitForPipes_takesTenTimesTheWork() throws Exception {
    try (Scheduler s = Scheduler.create();
        Fds.Pair pipe = Fds.pipe()) {
      waiters(1_000, s, pipe);
      bytesOfADump(s); // loads classes, too
      double few = bytesOfADump(s);
      waiters(9_000, s, pipe);
      double many = bytesOfADump(s);
      assertThat(s.dump()).contains("10,000 fibers at: ");
      assertThat(many / few).as("%s and %s bytes", few, many).isBetween(3.0, 20.0);
      assertThat(many / 10_000).as("bytes for each fiber").isLessThan(20_000);
    }
  }

  private static void waiters(int count, Scheduler s, Fds.Pair pipe) {
    for (int i = 0; i < count; i++) {
      s.spawn(() -> Scheduler.ioWait(pipe.a(), READ, -1));
    }
    s.runUntilEmpty();
  }

  private static long bytesOfADump(Scheduler s) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    String dump = s.dump();
    long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
    assertThat(dump).isNotEmpty();
    return bytes;
  }
}
