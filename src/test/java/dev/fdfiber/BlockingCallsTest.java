package dev.fdfiber;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Place;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * R10: a blocking call of the JDK parks its fiber alone. What ends the call waits until another
 * fiber's timers have gone off; so a call that held the driver would never end.
 */
@FdTest
class BlockingCallsTest {
  private Scheduler scheduler;
  private final CountDownLatch timersWentOff = new CountDownLatch(3);
  private final List<String> log = new ArrayList<>();

  @BeforeEach
  void take(Scheduler scheduler) {
    this.scheduler = scheduler;
  }

  /** Runs the call in a fiber beside one with timers; another thread ends it after those. */
  private void parksAlone(FiberBody call, Elsewhere.Action ending) throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    Fiber blocked =
        scheduler.spawn(() -> {
          inside.countDown();
          call.run();
          log.add("returned");
        });
    scheduler.spawn(() -> {
      for (int i = 0; i < 3; i++) {
        Scheduler.pause(0.001);
        timersWentOff.countDown();
      }
      log.add("timers");
    });
    Elsewhere<Void> other =
        Elsewhere.begin(() -> {
          inside.await();
          timersWentOff.await();
          ending.run();
        });
    scheduler.run();
    other.result();
    assertThat(blocked.failure()).isEmpty();
    assertThat(log).containsExactly("timers", "returned");
  }

  @Test
  void r10_blockingQueueTake() throws Exception {
    LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
    parksAlone(() -> assertThat(queue.take()).isEqualTo("x"), () -> queue.put("x"));
  }

  @Test
  void r10_blockingQueuePut() throws Exception {
    ArrayBlockingQueue<String> queue = new ArrayBlockingQueue<>(1);
    queue.put("full");
    parksAlone(() -> queue.put("x"), queue::take);
  }

  @Test
  void r10_blockingQueuePoll_withATimeout() throws Exception {
    LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
    LinkedBlockingQueue<String> empty = new LinkedBlockingQueue<>();
    parksAlone(
        () -> {
          assertThat(empty.poll(1, TimeUnit.MILLISECONDS)).isNull();
          assertThat(queue.poll(1, TimeUnit.HOURS)).isEqualTo("x");
        },
        () -> queue.put("x"));
  }

  @Test
  void r10_reentrantLock() throws Exception {
    ReentrantLock lock = new ReentrantLock();
    CountDownLatch held = new CountDownLatch(1);
    Elsewhere<Void> holder =
        Elsewhere.begin(() -> {
          lock.lock();
          try {
            held.countDown();
            timersWentOff.await();
          } finally {
            lock.unlock();
          }
        });
    held.await();
    parksAlone(
        () -> {
          lock.lock();
          try {
            log.add("locked");
          } finally {
            lock.unlock();
          }
          log.remove("locked");
        },
        () -> {});
    holder.result();
  }

  @Test
  void r10_condition() throws Exception {
    ReentrantLock lock = new ReentrantLock();
    Condition condition = lock.newCondition();
    boolean[] set = new boolean[1];
    parksAlone(
        () -> {
          lock.lock();
          try {
            while (!set[0]) {
              condition.await();
            }
          } finally {
            lock.unlock();
          }
        },
        () -> {
          lock.lock();
          try {
            set[0] = true;
            condition.signal();
          } finally {
            lock.unlock();
          }
        });
  }

  @Test
  void r10_completableFutureGet() throws Exception {
    CompletableFuture<String> future = new CompletableFuture<>();
    parksAlone(() -> assertThat(future.get()).isEqualTo("x"), () -> future.complete("x"));
  }

  @Test
  void r10_semaphore() throws Exception {
    Semaphore semaphore = new Semaphore(0);
    parksAlone(semaphore::acquire, semaphore::release);
  }

  @Test
  void r10_joinOfAPlatformThread() throws Exception {
    Thread thread = Thread.ofPlatform().unstarted(() -> {});
    CountDownLatch started = new CountDownLatch(1);
    parksAlone(
        () -> {
          started.await();
          thread.join();
        },
        () -> {
          thread.start();
          started.countDown();
        });
  }

  @Test
  void r10_synchronized() throws Exception {
    assumeTrue(Runtime.version().feature() >= 24, "synchronized pins before JDK 24");
    Object monitor = new Object();
    CountDownLatch held = new CountDownLatch(1);
    Elsewhere<Void> holder =
        Elsewhere.begin(() -> {
          synchronized (monitor) {
            held.countDown();
            timersWentOff.await();
          }
        });
    held.await();
    parksAlone(
        () -> {
          synchronized (monitor) {
            log.add("entered");
          }
          log.remove("entered");
        },
        () -> {});
    holder.result();
  }

  @Test
  void r10_objectWait() throws Exception {
    assumeTrue(Runtime.version().feature() >= 24, "Object.wait pins before JDK 24");
    Object monitor = new Object();
    boolean[] set = new boolean[1];
    parksAlone(
        () -> {
          synchronized (monitor) {
            while (!set[0]) {
              monitor.wait();
            }
          }
        },
        () -> {
          synchronized (monitor) {
            set[0] = true;
            monitor.notifyAll();
          }
        });
  }

  @Test
  void r10_pauseInsideSynchronized_parksTheFiber() {
    assumeTrue(Runtime.version().feature() >= 24, "synchronized pins before JDK 24");
    Object monitor = new Object();
    scheduler.spawn(() -> {
      synchronized (monitor) {
        log.add("a1");
        Scheduler.pause(0.001);
        log.add("a2");
      }
    });
    scheduler.spawn(() -> log.add("b"));
    scheduler.run();
    assertThat(log).containsExactly("a1", "b", "a2");
  }

  @Test
  void r10_threadSleep_neverEndsEarly() throws Exception {
    Place.in(
        scheduler,
        () -> {
          long start = System.nanoTime();
          Thread.sleep(30); // sleeps on purpose
          assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(30_000_000);
        });
  }

  @Test
  void r10_threadSleep_parksAlone() {
    Fiber sleeper = scheduler.spawn(() -> Thread.sleep(1_000_000)); // sleeps on purpose
    scheduler.spawn(() -> {
      for (int i = 0; i < 3; i++) {
        Scheduler.pause(0.001);
      }
      assertThat(sleeper.state()).isEqualTo(Fiber.State.BLOCKED);
      sleeper.cancel();
      log.add("timers");
    });
    scheduler.run();
    assertThat(log).containsExactly("timers");
    assertThat(sleeper.failure()).get().isInstanceOf(InterruptedException.class);
  }

  @Test
  void r10_aCancel_endsAJdkCall() {
    Fiber fiber = scheduler.spawn(() -> new LinkedBlockingQueue<String>().take());
    scheduler.spawn(fiber::cancel);
    scheduler.run();
    assertThat(fiber.failure()).get().isInstanceOf(InterruptedException.class);
  }

  @Test
  void r10_sockets_acceptConnectReadAndWrite_inFibers() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      scheduler.spawn(() -> {
        try (Socket connection = server.accept()) {
          byte[] line = connection.getInputStream().readNBytes(5);
          connection
              .getOutputStream()
              .write(new String(line, UTF_8).replace('h', 'H').getBytes(UTF_8));
        }
      });
      parksAlone(
          () -> {
            try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
              timersWentOff.await();
              socket.getOutputStream().write("hello".getBytes(UTF_8));
              byte[] answer = socket.getInputStream().readAllBytes();
              assertThat(new String(answer, UTF_8)).isEqualTo("Hello");
            }
          },
          () -> {});
    }
  }

  @Test
  void r10_aSocketRead_parksAlone() throws Exception {
    readASocketInAFiber();
  }

  private void readASocketInAFiber() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Socket near = new Socket(server.getInetAddress(), server.getLocalPort());
        Socket far = server.accept()) {
      parksAlone(
          () -> assertThat(near.getInputStream().read()).isEqualTo('x'),
          () -> far.getOutputStream().write('x'));
    }
  }

  @Test
  void r10_afterSocketsInFibers_anOrdinaryVirtualThread_worksWithNobodyDriving() throws Exception {
    readASocketInAFiber();
    Elsewhere.runVirtual(() -> {
      try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
          Socket near = new Socket(server.getInetAddress(), server.getLocalPort());
          Socket far = server.accept()) {
        Elsewhere<Void> writer = Elsewhere.begin(() -> far.getOutputStream().write('x'));
        assertThat(near.getInputStream().read()).isEqualTo('x');
        writer.result();
      }
    });
    assertThat(scheduler.aliveCount()).as("the JDK's helpers are no fibers").isZero();
  }

  @Test
  @Tag("slow")
  void r10_httpClient_inFibers() throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          try {
            timersWentOff.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          byte[] path = exchange.getRequestURI().getPath().getBytes(UTF_8);
          exchange.sendResponseHeaders(200, path.length);
          try (OutputStream body = exchange.getResponseBody()) {
            body.write(path);
          }
        });
    server.start();
    URI base = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    try (HttpClient client =
        HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(20)).build()) {
      parksAlone(
          () -> {
            HttpRequest request = HttpRequest.newBuilder(base.resolve("/one")).build();
            assertThat(client.send(request, BodyHandlers.ofString()).body()).isEqualTo("/one");
          },
          () -> {});
      List<String> bodies = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        URI uri = base.resolve("/" + i);
        scheduler.spawn(() ->
            bodies.add(
                client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).body()));
      }
      scheduler.run();
      assertThat(bodies).containsExactlyInAnyOrder("/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7");
    } finally {
      server.stop(0);
    }
  }

  @Test
  void r10_fibersAmongThemselves_handOver() {
    ArrayBlockingQueue<Integer> queue = new ArrayBlockingQueue<>(2);
    List<Integer> taken = new ArrayList<>();
    scheduler.spawn(() -> {
      for (int i = 0; i < 100; i++) {
        queue.put(i);
      }
    });
    scheduler.spawn(() -> {
      for (int i = 0; i < 100; i++) {
        taken.add(queue.take());
      }
    });
    scheduler.run();
    assertThat(taken).hasSize(100).isSorted();
  }
}
