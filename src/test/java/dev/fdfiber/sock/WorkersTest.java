package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.Pipe;
import dev.fdfiber.testing.SocketPair;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Level;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Workers as they serve: who gets a connection, and what one of them does to the others. */
@FdTest
class WorkersTest extends WorkersFixture {
  @Test
  @Tag("slow")
  void connections_areSpreadOverAllWorkers_eachOnItsOwnThread() throws Exception {
    Map<String, Integer> servedBy = new TreeMap<>();
    try (Workers workers = started(builder(3))) {
      for (int i = 0; i < 150; i++) {
        try (TextClient client = new TextClient(workers.port())) {
          servedBy.merge(client.ask("who"), 1, Integer::sum);
        }
      }
    }
    // The kernel hashes; that one of the three gets none of 150 is 3 in 10^26.
    assertThat(servedBy).containsOnlyKeys("test-1 0", "test-2 1", "test-3 2");
    assertThat(log).isEmpty();
  }

  @Test
  void connection_isServedUntilItEnds_andWorkersRunSideBySide() throws Exception {
    List<TextClient> clients = new ArrayList<>();
    try (Workers workers = started(builder(2))) {
      for (int i = 0; i < 40; i++) {
        clients.add(new TextClient(workers.port()));
      }
      for (int round = 0; round < 3; round++) {
        for (TextClient client : clients) {
          assertThat(client.ask("a" + round)).isEqualTo("echo a" + round);
        }
      }
      assertThat(workers.dump()).contains("test-1 accept", "test-2 accept", "WAITING_IO");
      for (TextClient client : clients) {
        client.close();
      }
    }
  }

  @Test
  void connectionsBeforeTheStart_waitForIt() throws Exception {
    try (Workers workers = builder(2).build();
        TextClient client = new TextClient(workers.port())) {
      client.send("early");
      workers.start();
      assertThat(client.receive()).isEqualTo("echo early");
    }
  }

  @Test
  void awaitRequest_atTheIdleLimit_isFalse() throws Exception {
    LineHandler impatient = new LineHandler(Duration.ofMillis(1));
    try (Workers workers = started(builder(1).handler(impatient));
        TextClient client = new TextClient(workers.port())) {
      assertThat(client.receive()).isEqualTo("bye");
      assertThat(client.receive()).isNull();
    }
  }

  @Test
  void handlerThatThrows_endsItsConnectionAlone() throws Exception {
    try (Logged logged = new Logged();
        Workers workers = started(builder(1));
        TextClient other = new TextClient(workers.port())) {
      assertThat(other.ask("x")).isEqualTo("echo x");
      for (String how : List.of("throw", "error")) {
        try (TextClient client = new TextClient(workers.port())) {
          assertThat(client.ask(how)).isNull();
        }
      }
      assertThat(other.ask("y")).isEqualTo("echo y");
      workers.close();
      assertThat(logged.at(Level.SEVERE))
          .hasSize(2)
          .allMatch(text -> text.matches("fiber test-1 fd \\d+ ended with .*thrown by a handler"));
    }
    assertThat(log).isEmpty();
  }

  @Test
  @Tag("slow")
  void schedulersAndHooks_areEachWorkersOwn() throws Exception {
    Queue<String> started = new ConcurrentLinkedQueue<>();
    Queue<String> uncaught = new ConcurrentLinkedQueue<>();
    Workers.Builder builder =
        builder(2)
            .scheduler((scheduler, i) -> scheduler.onUncaught((f, t) -> uncaught.add(i + " " + t)))
            .onWorkerStart((scheduler, i) -> {
              assertThat(Scheduler.current()).isSameAs(scheduler);
              started.add(i + " " + Fiber.current().name());
              scheduler.spawn("background " + i, () -> Scheduler.pause(1000));
            });
    try (Workers workers = started(builder)) {
      for (int i = 0; i < 60; i++) {
        try (TextClient client = new TextClient(workers.port())) {
          assertThat(client.ask("throw")).isNull();
        }
      }
      assertThat(workers.dump()).contains("background 0", "background 1");
    }
    assertThat(started).containsExactlyInAnyOrder("0 test-1 start", "1 test-2 start");
    String thrown = " java.lang.IllegalArgumentException: thrown by a handler";
    assertThat(uncaught).hasSize(60).contains("0" + thrown, "1" + thrown);
  }

  @Test
  void givenListeners_areSharedByAllWorkers_andClosedInTheEnd() throws Exception {
    int first = Sock.listen(0, false);
    int second = Sock.listen("::1", 0, false, 16);
    int secondPort = Sock.localPort(second);
    try (Workers workers = started(builder(2).listeners(first, second))) {
      assertThat(workers.port()).isEqualTo(Sock.localPort(first));
      try (TextClient client = new TextClient(workers.port())) {
        assertThat(client.ask("x")).isEqualTo("echo x");
      }
      int fd = Sock.connect("::1", secondPort);
      Sock.writeStr(fd, "y\n");
      assertThat(Sock.recvSome(fd, 0)).asString().isEqualTo("echo y\n");
      Sock.close(fd);
    }
    assertThat(Fds.isOpen(first)).isFalse();
    assertThat(Fds.isOpen(second)).isFalse();
  }

  @Test
  void sharedListener_servesThroughWhoeverIsFree() throws Exception {
    int listener = Sock.listen(0, false);
    Map<String, Integer> servedBy = new TreeMap<>();
    try (Workers workers = started(builder(2).listeners(listener))) {
      String busy;
      try (TextClient holder = new TextClient(workers.port())) {
        busy = holder.ask("who");
      }
      for (int i = 0; i < 50; i++) {
        try (TextClient client = new TextClient(workers.port())) {
          servedBy.merge(client.ask("who"), 1, Integer::sum);
        }
      }
      assertThat(busy).startsWith("test-");
    }
    assertThat(servedBy.values().stream().mapToInt(n -> n).sum()).isEqualTo(50);
  }

  @Test
  void awaitRequest_overTls_seesWhatIsDecryptedAlready_andAStop() throws Exception {
    TlsPair.ca();
    Workers.Handler bytes =
        c -> {
          Sock.acceptTls(c.fd());
          while (c.awaitRequest(Duration.ofSeconds(-1))) {
            Sock.writeBytes(c.fd(), Sock.recvSome(c.fd(), 1), 1); // of a record with three
          }
          Sock.writeStr(c.fd(), "bye");
        };
    try (Workers workers = started(builder(1).handler(bytes))) {
      int fd = Sock.connectTls("localhost", workers.port());
      Sock.writeStr(fd, "abc");
      String got = "";
      while (got.length() < 3) {
        got += new String(Sock.recvSome(fd, 0), StandardCharsets.UTF_8);
      }
      workers.stop();
      assertThat(got).isEqualTo("abc");
      assertThat(Sock.recvAll(fd, 0)).asString().isEqualTo("bye");
      Sock.close(fd);
    }
    assertThat(log).isEmpty();
  }

  @Test
  void port_thatIsTaken_isAnError_alsoForWorkersThatCouldShareIt() throws Exception {
    try (Workers workers = builder(2).build()) {
      for (int count : new int[] {1, 2}) {
        assertThatThrownBy(() -> builder(count).port(workers.port()).build())
            .isInstanceOf(ErrnoException.class)
            .extracting(e -> ((ErrnoException) e).errno())
            .isEqualTo(Errno.EADDRINUSE);
      }
    }
  }

  @Test
  void reusePort_letsTheNextVersionListenBesideThisOne() throws Exception {
    try (Workers workers = started(builder(1).reusePort(true));
        Workers next = started(builder(1).name("test-next").port(workers.port()).reusePort(true))) {
      assertThat(next.port()).isEqualTo(workers.port());
      workers.close();
      for (int i = 0; i < 20; i++) {
        try (TextClient client = new TextClient(next.port())) {
          assertThat(client.ask("who")).isEqualTo("test-next-1 0");
        }
      }
    }
  }

  @Test
  void fdThatDoesNotListen_isRefusedByNumber(Pipe pipe, SocketPair sockets) throws Exception {
    for (int fd : new int[] {pipe.readFd(), sockets.a()}) {
      assertThatThrownBy(() -> builder(1).listeners(fd).build())
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("fd " + fd + " is no socket that listens");
    }
  }

  @Test
  void misuse_isRefusedWithTheReason() throws Exception {
    assertThatThrownBy(() -> Workers.builder().build()).hasMessageContaining("need a handler");
    assertThatThrownBy(() -> Workers.builder().count(0)).hasMessageContaining("0 workers");
    try (Workers workers = started(builder(1))) {
      assertThatThrownBy(workers::start).hasMessage("test has been started already");
      workers.stop();
      workers.awaitEnd();
      workers.close();
    }
    Workers never = builder(1).build();
    never.close();
    assertThatThrownBy(never::start).hasMessage("test has been stopped");
  }

  @Test
  void closeInAFiberOfTheWorkers_isRefused() throws Exception {
    Workers[] workers = new Workers[1];
    Workers.Handler closes =
        c -> {
          assertThatThrownBy(() -> workers[0].close())
              .isInstanceOf(IllegalStateException.class)
              .hasMessage("a fiber of test would wait for its own end; stop() does not wait");
          assertThatThrownBy(() -> workers[0].awaitEnd()).hasMessageContaining("its own end");
          Sock.writeStr(c.fd(), "refused\n");
          workers[0].stop();
        };
    workers[0] = started(builder(2).handler(closes));
    try (TextClient client = new TextClient(workers[0].port())) {
      assertThat(client.receive()).isEqualTo("refused");
    }
    workers[0].awaitEnd();
    assertThat(workers[0].failure()).isEmpty();
  }

  @Test
  void awaitEnd_inAFiberElsewhere_parksIt(Scheduler s) throws Exception {
    try (Workers workers = started(builder(1))) {
      List<String> order = new ArrayList<>();
      s.spawn(() -> {
        assertThat(workers.awaitEnd(Duration.ofMillis(1))).isFalse();
        s.spawn(() -> {
          order.add("meanwhile");
          workers.stop();
        });
        workers.awaitEnd();
        order.add("ended");
      });
      Elsewhere.run(() -> {
        try (s) {
          s.run();
        }
      });
      assertThat(order).containsExactly("meanwhile", "ended");
    }
  }
}
