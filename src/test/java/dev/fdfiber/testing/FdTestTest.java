package dev.fdfiber.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.sock.Sock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an {@code @FdTest} gives and checks. */
@FdTest
class FdTestTest {
  /** Tests that pass; the launcher below runs them. */
  static class Passing {
    @FdTest
    void pipe(Scheduler scheduler, Pipe pipe) {
      String[] got = new String[1];
      scheduler.spawn("reader", () -> got[0] = text(Sock.recvAll(pipe.readFd(), 0)));
      scheduler.spawn(
          "writer",
          () -> {
            Sock.writeStr(pipe.writeFd(), "hello");
            Sock.close(pipe.writeFd());
          });
      scheduler.run();
      assertThat(got[0]).isEqualTo("hello");
    }

    @FdTest
    void socketPairs(SocketPair one, Scheduler scheduler, SocketPair two) {
      assertThat(one.a()).isNotEqualTo(two.a());
      scheduler.spawn(() -> Sock.writeStr(one.a(), "x"));
      scheduler.spawn(() -> Sock.writeStr(two.b(), text(Sock.recvSome(one.b(), 0))));
      scheduler.spawn(() -> assertThat(text(Sock.recvSome(two.a(), 0))).isEqualTo("x"));
      scheduler.run();
    }

    @FdTest
    void listener(Scheduler scheduler, Listener listener) {
      scheduler.spawn(() -> {
        int fd = Sock.accept(listener.fd());
        Sock.writeStr(fd, "hello");
        Sock.close(fd);
      });
      scheduler.spawn(() -> {
        int fd = Sock.connect(listener.host(), listener.port());
        assertThat(text(Sock.recvAll(fd, 0))).isEqualTo("hello");
        Sock.close(fd);
      });
      scheduler.run();
    }

    @FdTest
    void fifo(Scheduler scheduler, TempFifo fifo) {
      int in = fifo.openForReading();
      int out = fifo.openForWriting();
      scheduler.spawn(() -> Sock.writeStr(out, "x"));
      scheduler.spawn(() -> assertThat(text(Sock.recvSome(in, 0))).isEqualTo("x"));
      scheduler.run();
    }

    @FdTest
    void uncaught(Scheduler scheduler, Uncaught uncaught) {
      scheduler.spawn(
          "failing",
          () -> {
            throw new IllegalStateException("expected");
          });
      scheduler.run();
      assertThat(uncaught.of("failing")).get().isInstanceOf(IllegalStateException.class);
      assertThat(uncaught.all()).hasSize(1);
    }

    @FdTest
    void closesEndsItself_andReusesTheirNumbers(Pipe pipe) throws Exception {
      Sock.close(pipe.readFd());
      Sock.close(pipe.writeFd());
      try (Pipe again = Pipe.open()) {
        assertThat(again.readFd()).isEqualTo(pipe.readFd());
        pipe.close();
        assertThat(Fds.isOpen(again.readFd())).isTrue();
      }
    }

    private static String text(byte[] bytes) {
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  /** What all tests of a class get, whatever kind they are. */
  @FdTest
  static class OfAClass {
    private VirtualClock clock;

    @BeforeEach
    void take(VirtualClock clock) {
      this.clock = clock;
    }

    @Test
    void setUp_takesParametersToo(Scheduler scheduler) {
      scheduler.spawn(() -> Scheduler.pause(3600));
      scheduler.run();
      assertThat(clock.elapsed()).isEqualTo(Duration.ofHours(1));
    }

    @Test
    void plain(Scheduler scheduler, Pipe pipe) {
      scheduler.spawn(() -> Sock.writeStr(pipe.writeFd(), "x"));
      scheduler.run();
      Fds.assertReadable(pipe.readFd());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void parameterized(int n, Scheduler scheduler, Pipe pipe) throws Exception {
      scheduler.spawn(() -> Sock.writeStr(pipe.writeFd(), "x".repeat(n)));
      scheduler.run();
      assertThat(Sock.recvSome(pipe.readFd(), 0)).hasSize(n);
    }

    @Nested
    class Inner {
      @Test
      void nested(Scheduler scheduler) {
        scheduler.spawn(() -> Scheduler.pause(0));
        scheduler.run();
      }
    }
  }

  /** What fails in them. */
  @FdTest
  static class FailingOfAClass {
    @ParameterizedTest
    @ValueSource(ints = 1)
    void leaks(int n, Scheduler scheduler) {
      scheduler.spawn("left " + n, LockSupport::park);
      scheduler.runUntilEmpty();
    }

    @FdTest(seeds = 3)
    void explores(Trace trace) {
      throw new IllegalStateException("with every seed");
    }
  }

  /** What takes longer than its class allows. */
  @FdTest(limitSeconds = 1)
  static class HangingOfAClass {
    @Test
    void hangs() throws Exception {
      new CountDownLatch(1).await();
    }
  }

  /** Tests that fail, each in its own way. */
  static class Failing {
    static int leakedFd;

    @FdTest
    void leaksAPipeOfAFiber(Scheduler scheduler) {
      scheduler.spawn("opener", () -> leakedFd = opensASocket());
      scheduler.run();
    }

    private static int opensASocket() throws Exception {
      return Sock.listen(0, false);
    }

    @FdTest
    void leaksAFileOfTheBody() {
      leakedFd = Opened.file(Path.of("/dev/null"), Linux.O_RDONLY);
    }

    @FdTest
    void leaksAFiber(Scheduler scheduler, Pipe pipe) {
      scheduler.spawn("stuck", () -> waitsForEver(pipe));
      scheduler.spawn("parked", LockSupport::park);
      scheduler.runUntilEmpty();
    }

    private static void waitsForEver(Pipe pipe) throws Exception {
      Scheduler.ioWait(pipe.readFd(), Scheduler.READ, -1);
    }

    @FdTest
    void neverRuns(Scheduler scheduler) {
      scheduler.spawn("idle", () -> {});
    }

    @FdTest
    void fiberFails_andThenTheBody(Scheduler scheduler) {
      scheduler.spawn(
          "first",
          () -> {
            throw new IllegalStateException("the cause");
          });
      scheduler.run();
      throw new AssertionError("what came of it");
    }

    @FdTest(limitSeconds = 1)
    void hangs(Scheduler scheduler, Pipe pipe) {
      scheduler.spawn("hanging", () -> waitsForEver(pipe));
      scheduler.spawn("slow", () -> Scheduler.pause(3600)); // or it would be a deadlock
      scheduler.run();
    }
  }

  /** It may wake the fiber, for all that is known. */
  static class Suspected {
    @FdTest(limitSeconds = 1)
    void hangs(Scheduler scheduler, Pipe pipe) throws InterruptedException {
      scheduler.spawn("hanging", () -> Sock.recvSome(pipe.readFd(), 0));
      Thread forgetful = Thread.ofPlatform().name("forgetful").start(LockSupport::park);
      try {
        scheduler.run();
      } finally {
        forgetful.interrupt();
        forgetful.join();
      }
    }
  }

  @Test
  @Tag("slow")
  void limitOnRealTime_endsADeadlockThatAnotherThreadMayEnd() {
    try (Logged logged = new Logged()) {
      assertThat(Launched.run(Suspected.class).failure())
          .hasMessageContaining("the test took longer than 1 s of real time");
      assertThat(logged.isEmpty()).isFalse();
    }
  }

  @Test
  void everyParameter_worksAndIsClosed() {
    var before = OpenFds.now();
    Launched launched = Launched.run(Passing.class);
    assertThat(launched.failure()).isNull();
    assertThat(launched.tests()).isEqualTo(6);
    assertThat(OpenFds.leftSince(before, TestRun.PATIENCE_NANOS)).isEmpty();
  }

  @Test
  void ofAClass_givesAndChecksInEveryKindOfTest() {
    Launched launched = Launched.run(OfAClass.class);
    assertThat(launched.failure()).isNull();
    assertThat(launched.tests()).isEqualTo(5);
    assertThat(Launched.run(FailingOfAClass.class, "leaks").failure())
        .hasMessageContaining("fiber \"left 1\" is blocked in the JDK");
  }

  @Test
  void ofAMethod_countsBeforeTheClasss() {
    assertThat(Launched.run(FailingOfAClass.class, "explores").failure())
        .hasMessageContaining("seed 1 fails");
  }

  @Test
  @Tag("slow")
  void ofAClass_limitsTheTimeOfEachTest() {
    try (Logged logged = new Logged()) {
      assertThat(Launched.run(HangingOfAClass.class, "hangs").failure())
          .hasMessageContaining("the test took longer than 1 s of real time");
      assertThat(logged.isEmpty()).isFalse();
    }
  }

  @Test
  void leakedDescriptor_ofAFiber_isTold_withItsNumberKindAndOrigin() {
    Throwable failure = Launched.run(Failing.class, "leaksAPipeOfAFiber").failure();
    Fds.close(Failing.leakedFd);
    assertThat(failure)
        .isInstanceOf(LeakError.class)
        .hasMessageContaining("1 descriptor is still open at the end of the test:")
        .hasMessageContaining("fd " + Failing.leakedFd + "  socket:[")
        .hasMessageContaining("opened by fiber \"opener\"")
        .hasMessageContaining("FdTestTest$Failing.opensASocket(FdTestTest.java:");
  }

  @Test
  void leakedDescriptor_ofTheBody_isTold() {
    Throwable failure = Launched.run(Failing.class, "leaksAFileOfTheBody").failure();
    Fds.close(Failing.leakedFd);
    assertThat(failure).hasMessageContaining("fd " + Failing.leakedFd + "  /dev/null");
  }

  @Test
  void leakedFibers_areTold_withWhatTheyWaitForAndTheirStacks() {
    Throwable failure = Launched.run(Failing.class, "leaksAFiber").failure();
    assertThat(failure)
        .isInstanceOf(LeakError.class)
        .hasMessageContaining("2 fibers are still alive at the end of the test:")
        .hasMessageContaining("fiber \"stuck\" waits for pipe.readFd (fd ")
        .hasMessageContaining("FdTestTest$Failing.waitsForEver(FdTestTest.java:")
        .hasMessageContaining("fiber \"parked\" is blocked in the JDK");
  }

  @Test
  void fiberThatNobodyDrove_isTold_withWhatToDo() {
    Throwable failure = Launched.run(Failing.class, "neverRuns").failure();
    assertThat(failure)
        .hasMessageContaining("fiber \"idle\" has not run yet")
        .hasMessageContaining("call scheduler.run()");
  }

  @Test
  void failedFiber_isTheFailure_andWhatCameOfItIsSuppressed() {
    Throwable failure = Launched.run(Failing.class, "fiberFails_andThenTheBody").failure();
    assertThat(failure)
        .hasMessageContaining("fiber \"first\" failed")
        .hasRootCauseMessage("the cause");
    assertThat(failure.getSuppressed())
        .extracting(Throwable::getMessage)
        .contains("what came of it");
  }

  @Test
  @Tag("slow")
  void limitOnRealTime_endsAHangingTest_withADump() {
    Throwable failure;
    try (Logged logged = new Logged()) {
      failure = Launched.run(Failing.class, "hangs").failure();
      assertThat(logged.isEmpty()).isFalse();
    }
    assertThat(failure)
        .hasMessageContaining("the test took longer than 1 s of real time")
        .hasMessageContaining("thread \"" + Thread.currentThread().getName() + "\" ");
  }

  /** That of the limit; by itself, since a second may be over before the fibers have begun. */
  @Test
  void dump_tellsWhatFibersWaitFor_withTheirStacks_andOfOtherThreads() {
    Thread outside = Thread.ofPlatform().name("outside").start(LockSupport::park);
    try (TestRun run = new TestRun(Set.of(), PollerKind.AUTO, null, true)) {
      Scheduler scheduler = (Scheduler) run.give(Scheduler.class);
      Pipe pipe = (Pipe) run.give(Pipe.class);
      scheduler.spawn("hanging", () -> Failing.waitsForEver(pipe));
      scheduler.runUntilEmpty();
      while (outside.getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
      assertThat(run.dump())
          .contains("fiber \"hanging\" waits for pipe.readFd (fd ")
          .contains("FdTestTest$Failing.waitsForEver(FdTestTest.java:")
          .contains("thread \"outside\" WAITING");
    } finally {
      outside.interrupt();
    }
  }

  @Test
  void dump_namesTheThreadThatMayStillEndADeadlock() throws Exception {
    CompletableFuture<String> told = new CompletableFuture<>();
    try (TestRun run = new TestRun(Set.of(), PollerKind.AUTO, null, false)) {
      Scheduler scheduler = (Scheduler) run.give(Scheduler.class);
      Pipe pipe = (Pipe) run.give(Pipe.class);
      scheduler.spawn("hanging", () -> Sock.recvSome(pipe.readFd(), 0));
      Thread watcher =
          Thread.ofPlatform()
              .name("watcher")
              .start(() -> {
                told.complete(dumpWithA("deadlock", run));
                Fds.write(pipe.writeFd(), "x");
              });
      scheduler.run();
      watcher.join();
    }
    assertThat(told.join())
        .contains("no timer runs, which is a deadlock unless thread \"watcher\" wakes one:\n")
        .contains("FdTestTest.dumpWithA(FdTestTest.java:");
  }

  private static String dumpWithA(String word, TestRun run) {
    String dump;
    do {
      dump = run.dump();
    } while (!dump.contains(word));
    return dump;
  }

  @Test
  void fifo_leavesNoFileBehind() throws Exception {
    TempFifo fifo = TempFifo.make();
    fifo.close();
    fifo.close();
    assertThat(Files.exists(fifo.path().getParent())).isFalse();
  }
}
