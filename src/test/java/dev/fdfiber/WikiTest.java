package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.SocketPair;
import dev.fdfiber.testing.TimeKernel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The snippets and the claims of the ancestor's wiki page, in Java, in their order there. */
@FdTest
class WikiTest {
  private final ManualClock clock = new ManualClock();
  private final TimeKernel kernel = new TimeKernel(clock);
  private final Scheduler scheduler = Scheduler.builder().kernel(kernel).clock(clock).build();
  private final long start = clock.nanoTime();
  private final List<String> log = new ArrayList<>();

  @AfterEach
  void close() {
    scheduler.close();
  }

  private void info(String message) {
    log.add(message + " @" + (clock.nanoTime() - start) / 1_000_000_000);
  }

  private void spawnTicks() {
    scheduler.spawn(() -> {
      info("background tick");
      Scheduler.pause(60);
      info("background tick after 60s");
    });
  }

  @Test
  void spawning_runsOnTheNextRun() {
    spawnTicks();
    assertThat(log).isEmpty();
    scheduler.run();
    assertThat(log).containsExactly("background tick @0", "background tick after 60s @60");
  }

  @Test
  void driving_byTick_onePassEach() {
    spawnTicks();
    assertThat(scheduler.tick(0)).isTrue();
    assertThat(log).containsExactly("background tick @0");
    assertThat(scheduler.tick(30_000)).isFalse();
    assertThat(scheduler.tick(60_000)).isTrue();
    assertThat(log).hasSize(2);
  }

  @Test
  void driving_byRunUntilEmpty_drainsAllReadyFibers() {
    spawnTicks();
    spawnTicks();
    assertThat(scheduler.runUntilEmpty()).isEqualTo(2);
    assertThat(log).containsExactly("background tick @0", "background tick @0");
  }

  @Test
  void driving_byRunFor_drainsForSoManySeconds_andDoesNotBusySpin() {
    spawnTicks();
    scheduler.runFor(59);
    assertThat(log).hasSize(1);
    scheduler.runFor(2);
    assertThat(log).hasSize(2);
    assertThat(kernel.timeouts()).hasSizeLessThan(8);
  }

  @Test
  void timerParking_tenSteps_aSecondApart() {
    scheduler.spawn(() -> {
      int i = 0;
      while (i < 10) {
        info("step " + i);
        Scheduler.pause(1);
        i += 1;
      }
    });
    scheduler.run();
    for (int i = 0; i < 10; i++) {
      assertThat(log.get(i)).isEqualTo("step " + i + " @" + i);
    }
    assertThat(log).hasSize(10);
  }

  @Test
  void timerParking_otherFibersReadyInThatWindow_runFirst() {
    scheduler.spawn(() -> {
      Scheduler.pause(1);
      info("paused");
    });
    scheduler.spawn(() -> info("other"));
    scheduler.run();
    assertThat(log).containsExactly("other @0", "paused @1");
  }

  @Test
  void ioParking_getsAPageFromAServer() throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] body = "hello from upstream".getBytes(UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    int port = server.getAddress().getPort();
    List<Integer> ready = new ArrayList<>();
    try (Scheduler real = Scheduler.create()) {
      Fiber fiber =
          real.spawn(() -> {
            int fd = Sock.connect("127.0.0.1", port);
            Sock.setNonblock(fd);

            Sock.writeStr(fd, "GET / HTTP/1.0\r\n\r\n");
            ready.add(Scheduler.ioWait(fd, Scheduler.READ, 5));
            byte[] bytes = Sock.recvAll(fd, 0);
            log.add(new String(bytes, UTF_8));
            Sock.close(fd);
          });
      real.run();
      assertThat(fiber.failure()).isEmpty();
    } finally {
      server.stop(0);
    }
    assertThat(ready).containsExactly(READ);
    assertThat(log)
        .singleElement()
        .asString()
        .startsWith("HTTP/1.")
        .endsWith("hello from upstream");
  }

  @Test
  void modes_areOneTwoAndThree() {
    assertThat(Scheduler.READ).isEqualTo(1);
    assertThat(Scheduler.WRITE).isEqualTo(2);
    assertThat(Scheduler.READ | Scheduler.WRITE).isEqualTo(3);
  }

  @Test
  void ioWait_returnsReadyBits_orZeroOnTimeout(SocketPair pair) throws Exception {
    scheduler.spawn(() -> {
      log.add("" + Scheduler.ioWait(pair.a(), 1, 5));
      log.add("" + Scheduler.ioWait(pair.a(), 1 | 2, 5));
      Fds.write(pair.b(), "x");
      log.add("" + Scheduler.ioWait(pair.a(), 1 | 2, 5));
    });
    scheduler.run();
    assertThat(log).containsExactly("0", "2", "3");
  }

  // ---- when to reach for it

  @Test
  void serverSentEvents_parkBetweenSends_soThatOthersAreServed(SocketPair client) throws Exception {
    scheduler.spawn(() -> {
      for (int i = 0; i < 3; i++) {
        Fds.write(client.a(), "data: " + i + "\n\n");
        Scheduler.pause(15);
      }
      Fds.close(client.a());
    });
    scheduler.spawn(() -> {
      Scheduler.pause(20);
      info("another request, between the events");
    });
    scheduler.run();
    assertThat(log).containsExactly("another request, between the events @20");
    assertThat(Fds.read(client.b())).isEqualTo("data: 0\n\ndata: 1\n\ndata: 2\n\n");
  }

  @Test
  void longPoll_resumesWhenUpstreamIsReady(SocketPair upstream) throws Exception {
    scheduler.spawn(() -> {
      assertThat(Scheduler.ioWait(upstream.a(), READ, 30)).isEqualTo(READ);
      info(Fds.read(upstream.a()));
    });
    scheduler.spawn(() -> {
      Scheduler.pause(10);
      Fds.write(upstream.b(), "news");
    });
    scheduler.run();
    assertThat(log).containsExactly("news @10");
  }

  @Test
  void aTickDuringALongStep_letsOtherFibersMakeProgress() {
    scheduler.spawn("commentary", () -> info("refreshed"));
    scheduler.tick(0); // in a handler, outside any fiber
    info("handler goes on");
    assertThat(log).containsExactly("refreshed @0", "handler goes on @0");
  }

  // ---- pitfalls

  @Test
  void pauseOutsideAFiber_isASleep_andDrivesNobody() throws Exception {
    spawnTicks();
    Scheduler.pause(0.001); // sleeps on purpose
    assertThat(log).isEmpty();
    scheduler.runUntilEmpty();
    assertThat(log).hasSize(1);
  }

  @Test
  void eachThreadHasItsOwnRegistry_andFibersDoNotMigrate() throws Exception {
    Elsewhere.run(() -> {
      Scheduler mine = Scheduler.current();
      assertThat(Scheduler.current()).isSameAs(mine);
      Elsewhere.run(() -> {
        assertThat(Scheduler.current()).isNotSameAs(mine);
        assertThat(Scheduler.current().aliveCount()).isZero();
      });
      mine.spawn(() -> log.add("" + (Scheduler.current() == mine)));
      assertThat(mine.aliveCount()).isOne();
      mine.run();
      mine.close();
    });
    assertThat(log).containsExactly("true");
  }
}
