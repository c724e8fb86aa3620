package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.ManualClock;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How workers end: defect 11 of the ancestor, whose worker neither stopped nor slept. */
@FdTest
class WorkersStopTest extends WorkersFixture {
  private static final Duration LONG = Duration.ofSeconds(1000);

  @Override
  Workers.Builder builder(int count) {
    return super.builder(count).grace(LONG);
  }

  @AfterEach
  void nothingIsLogged() {
    assertThat(log).isEmpty();
  }

  @Test
  void stop_closesIdleConnections_andEndsAtOnce() throws Exception {
    List<TextClient> clients = new ArrayList<>();
    try (Workers workers = started(builder(2))) {
      for (int i = 0; i < 20; i++) {
        TextClient client = new TextClient(workers.port());
        clients.add(client);
        assertThat(client.ask("x")).isEqualTo("echo x");
      }
      long start = System.nanoTime();
      workers.stop();
      workers.awaitEnd();
      assertThat(System.nanoTime() - start).isLessThan(LONG.toNanos() / 10);
      assertThat(workers.isStopping()).isTrue();
      assertThat(workers.failure()).isEmpty();
      assertThat(workers.dump()).isEmpty();
      for (TextClient client : clients) {
        assertThat(client.receive()).isEqualTo("bye");
        assertThat(client.receive()).isNull();
        client.close();
      }
    }
  }

  @Test
  void stop_letsARunningRequestEnd_whileNobodyListensAnyMore() throws Exception {
    try (Workers workers = started(builder(1));
        TextClient client = new TextClient(workers.port());
        TextClient idle = new TextClient(workers.port())) {
      assertThat(idle.ask("x")).isEqualTo("echo x");
      assertThat(client.ask("slow")).isEqualTo("begun");
      workers.stop();
      assertThat(idle.receive()).isEqualTo("bye");
      assertThat(idle.receive()).isNull();
      assertThatThrownBy(() -> new TextClient(workers.port())).isInstanceOf(ConnectException.class);
      assertThat(workers.awaitEnd(Duration.ofMillis(10))).isFalse();
      lines.gate.countDown();
      assertThat(client.receive()).isEqualTo("slow done, stopping true");
      assertThat(client.receive()).isEqualTo("bye");
      assertThat(client.receive()).isNull();
      workers.awaitEnd();
    }
  }

  @Test
  void stop_whenTheGraceIsOver_cancelsWhatStillRuns() throws Exception {
    try (Workers workers = started(builder(2));
        TextClient client = new TextClient(workers.port());
        TextClient other = new TextClient(workers.port())) {
      assertThat(client.ask("for ever")).isEqualTo("begun");
      assertThat(other.ask("for ever")).isEqualTo("begun");
      long start = System.nanoTime();
      workers.stop(Duration.ofMillis(200));
      workers.awaitEnd();
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(200_000_000);
      assertThat(client.receive()).isNull();
      assertThat(other.receive()).isNull();
    }
  }

  @Test
  void stopAgain_withAShorterGrace_cutsItShort() throws Exception {
    try (Workers workers = started(builder(1));
        TextClient client = new TextClient(workers.port())) {
      assertThat(client.ask("for ever")).isEqualTo("begun");
      workers.stop();
      assertThat(workers.awaitEnd(Duration.ofMillis(50))).isFalse();
      workers.stop(Duration.ZERO);
      workers.awaitEnd();
      assertThat(client.receive()).isNull();
    }
  }

  @Test
  void closeThatIsInterrupted_cutsTheGraceShort() throws Exception {
    try (Workers workers = started(builder(1));
        TextClient client = new TextClient(workers.port())) {
      assertThat(client.ask("for ever")).isEqualTo("begun");
      Elsewhere<Boolean> closes =
          Elsewhere.start(() -> {
            workers.close();
            return Thread.currentThread().isInterrupted();
          });
      while (!workers.isStopping()) {
        Thread.onSpinWait();
      }
      closes.thread().interrupt();
      assertThat(closes.result()).isTrue();
      assertThat(client.receive()).isNull();
    }
  }

  @Test
  @Tag("slow")
  void requestThatWasSentBeforeTheStop_isServed_alsoFromTheQueue() throws Exception {
    CountDownLatch held = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    Workers.Handler holds =
        c -> {
          if (!c.isStopping() && held.getCount() > 0) {
            held.countDown();
            hold(release);
          }
          lines.handle(c);
        };
    try (Workers workers = started(builder(1).handler(holds));
        TextClient first = new TextClient(workers.port())) {
      held.await(); // the driver is held: nobody accepts
      try (TextClient queued = new TextClient(workers.port());
          TextClient silent = new TextClient(workers.port())) {
        first.send("a");
        queued.send("b");
        workers.stop();
        release.countDown();
        assertThat(first.receive()).isEqualTo("echo a");
        assertThat(queued.receive()).isEqualTo("echo b");
        assertThat(queued.receive()).isEqualTo("bye");
        assertThat(silent.receive()).isEqualTo("bye");
      }
      workers.awaitEnd();
    }
  }

  @Test
  void connectionThatIsNew_mayStillAsk_rightAfterTheStop() throws Exception {
    ManualClock clock = new ManualClock(); // its second is never over
    try (Workers workers = started(builder(1).scheduler((s, worker) -> s.clock(clock)));
        TextClient client = new TextClient(workers.port())) {
      workers.stop();
      assertThat(client.ask("x")).isEqualTo("echo x");
      assertThat(client.receive()).isEqualTo("bye");
    }
  }

  @Test
  @Tag("slow")
  void connectionThatIsNewAndSilent_delaysTheEndByASecondAtMost() throws Exception {
    try (Workers workers = started(builder(1));
        TextClient client = new TextClient(workers.port())) {
      long start = System.nanoTime();
      workers.close();
      assertThat(System.nanoTime() - start).isLessThan(30_000_000_000L);
      assertThat(client.receive()).isEqualTo("bye");
    }
  }

  @Test
  @Tag("slow")
  void handlerThatHoldsItsWorker_isNamedWithItsStack() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    Workers.Handler holds =
        c -> {
          Sock.writeStr(c.fd(), "held\n");
          hold(release);
        };
    LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();
    try (Workers workers = started(builder(2).handler(holds).log(told::add).grace(Duration.ZERO));
        TextClient client = new TextClient(workers.port())) {
      assertThat(client.receive()).isEqualTo("held");
      workers.stop();
      assertThat(told.poll(50, TimeUnit.SECONDS))
          .matches("(?s)test-[12] cannot end: fiber test-[12] fd \\d+ holds it\n.*")
          .contains("WorkersStopTest.hold(");
      release.countDown();
      workers.awaitEnd();
      assertThat(told).isEmpty();
    }
  }

  /** What a native call, or a loop, does: keeps the thread, whatever others want. */
  private static void hold(CountDownLatch release) {
    while (release.getCount() > 0) {
      Thread.onSpinWait();
    }
  }

  @Test
  @Tag("slow")
  void stopsByManyThreads_withClientsComing_endEverything() throws Exception {
    for (int round = 0; round < 20; round++) {
      try (Workers workers = started(builder(2))) {
        Elsewhere<Void> comes =
            Elsewhere.begin(() -> {
              while (!workers.isStopping()) {
                try (TextClient client = new TextClient(workers.port())) {
                  client.ask("x");
                } catch (IOException refused) {
                  return;
                }
              }
            });
        try (TextClient client = new TextClient(workers.port())) {
          assertThat(client.ask("x")).isEqualTo("echo x");
          List<Elsewhere<Void>> stops = new ArrayList<>();
          for (int i = 0; i < 3; i++) {
            stops.add(Elsewhere.begin(workers::stop));
          }
          for (Elsewhere<Void> stop : stops) {
            stop.result();
          }
          workers.awaitEnd();
        }
        comes.result();
      }
    }
  }
}
