package dev.fdfiber.inspect;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ManualClock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page as requests and answers, without a browser: who gets it, and what is in it. */
@FdTest
class InspectorTest {
  private static final Pattern ROWS = Pattern.compile("\\[\"0\\.\\d+\",");

  private static String get(Inspector inspector, String target, String host) throws IOException {
    return send(inspector, "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  }

  private static String get(Inspector inspector, String target) throws IOException {
    return get(inspector, target, "localhost:" + inspector.port());
  }

  private static String send(Inspector inspector, String request) throws IOException {
    int fd = Sock.connect("127.0.0.1", inspector.port());
    try {
      Sock.writeStr(fd, request);
      return new String(Sock.recvAll(fd, 0), StandardCharsets.UTF_8);
    } finally {
      Sock.close(fd);
    }
  }

  /** An open page. */
  private static final class Stream implements AutoCloseable {
    private final int fd;
    private final StringBuilder seen = new StringBuilder();

    Stream(Inspector inspector) throws IOException {
      fd = Sock.connect("127.0.0.1", inspector.port());
      Sock.writeStr(fd, "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }

    /** Reads until something was told. */
    void await(String text) throws IOException {
      while (seen.indexOf(text) < 0) {
        byte[] some = Sock.recvSome(fd, 0);
        assertThat(some).as("more than %s", seen).isNotEmpty();
        seen.append(new String(some, StandardCharsets.UTF_8));
      }
    }

    @Override
    public void close() throws IOException {
      Sock.close(fd);
    }
  }

  @Test
  void page_isOneFile_thatRunsNothingButItsOwnScript() throws Exception {
    try (Scheduler s = Scheduler.create();
        Inspector inspector = Inspector.serve(s, 0)) {
      String page = get(inspector, "/");
      assertThat(page).startsWith("HTTP/1.1 200 ").contains("Content-Type: text/html");
      for (String element : List.of("script", "style")) {
        String content = page.replaceFirst("(?s).*<" + element + ">(.*)</" + element + ">.*", "$1");
        byte[] digest =
            MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8));
        assertThat(page)
            .contains(element + "-src 'sha256-" + Base64.getEncoder().encodeToString(digest) + "'");
      }
      assertThat(page).contains("default-src 'none'", "frame-ancestors 'none'");
      String html = page.substring(page.indexOf("<!DOCTYPE"));
      assertThat(html).doesNotContain("http://", "https://", "innerHTML", " src=", " style=");
    }
  }

  @Test
  void requestForAnotherHost_isRefused() throws Exception {
    try (Scheduler s = Scheduler.create();
        Inspector inspector = Inspector.serve(s, 0)) {
      for (String path : List.of("/", "/live", "/fiber?scheduler=0&id=1", "/dump")) {
        assertThat(get(inspector, path, "rebound.example:" + inspector.port()))
            .startsWith("HTTP/1.1 403 ")
            .endsWith("ask for it as localhost.\n");
      }
      for (String host : List.of("localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]:80")) {
        assertThat(get(inspector, "/dump", host)).startsWith("HTTP/1.1 200 ");
      }
    }
  }

  @Test
  void otherAddressThanLoopback_wantsAToken() throws Exception {
    try (Scheduler s = Scheduler.create()) {
      Inspector.Builder open = Inspector.of(() -> List.of(s)).host("0.0.0.0");
      assertThatThrownBy(() -> open.serve(0)).hasMessageContaining("give a token");
      assertThatThrownBy(() -> open.token("short")).hasMessageContaining("at least 16");
      try (Inspector inspector = open.token("0123456789abcdef").serve(0)) {
        assertThat(inspector.url()).endsWith("/?token=0123456789abcdef");
        for (String query : List.of("", "?token=", "?token=0123456789abcdeF", "?token=%zz")) {
          assertThat(get(inspector, "/dump" + query)).startsWith("HTTP/1.1 403 ");
        }
        assertThat(get(inspector, "/dump?token=0123456789abcdef")).startsWith("HTTP/1.1 200 ");
      }
    }
  }

  @Test
  void requestsThatAreNone_areRefused_andNoneIsWaitedForWithoutEnd() throws Exception {
    try (Scheduler s = Scheduler.create();
        Inspector inspector = Inspector.serve(s, 0)) {
      assertThat(get(inspector, "/nothing")).startsWith("HTTP/1.1 404 ");
      assertThat(get(inspector, "/fiber?scheduler=0&id=77")).startsWith("HTTP/1.1 404 ");
      assertThat(get(inspector, "/fiber?scheduler=9&id=x")).startsWith("HTTP/1.1 404 ");
      assertThat(send(inspector, "POST / HTTP/1.1\r\n\r\n")).startsWith("HTTP/1.1 400 ");
      assertThat(send(inspector, "\r\n\r\n")).startsWith("HTTP/1.1 400 ");
      assertThat(send(inspector, "HEAD / HTTP/1.1\r\n\r\n")).endsWith("\r\n\r\n");
    }
  }

  @Test
  @Tag("slow")
  void live_tellsOfAFiberAsLongAsItIsThere_andWhatItWaitsFor() throws Exception {
    try (Scheduler s = Scheduler.create();
        Inspector inspector = Inspector.serve(s, 0);
        Fds.Pair pipe = Fds.pipe();
        Stream page = new Stream(inspector)) {
      page.await("\"rows\":[]");
      s.spawn("</script><b>", () -> Scheduler.ioWait(pipe.a(), READ, -1));
      s.runUntilEmpty();
      page.await("[\"0.1\",0,1,\"\\u003c/script>\\u003cb>\",3,\"fd " + pipe.a() + " READ pipe:[");
      Fds.write(pipe.b(), "x");
      s.run();
      page.await("\"gone\":[\"0.1\"]");
    }
  }

  @Test
  @Tag("slow")
  void live_ofTenThousandFibers_comesInPieces() throws Exception {
    try (Scheduler s = Scheduler.create();
        Inspector inspector = Inspector.serve(s, 0)) {
      for (int i = 0; i < 10_000; i++) {
        s.spawn("p" + i, () -> Scheduler.pause(1000));
      }
      s.runUntilEmpty();
      try (Stream page = new Stream(inspector)) {
        page.await("[\"0.10000\",");
        for (String message : page.seen.toString().split("\n\n", -1)) {
          assertThat(ROWS.matcher(message).results().map(MatchResult::start).count())
              .isLessThanOrEqualTo(2_000);
        }
      }
    }
  }

  @Test
  @Tag("slow") // until the page believes it
  void held_isToldWhileTheFiberHoldsTheDriver_withItsStack() throws Exception {
    CountDownLatch holds = new CountDownLatch(1);
    CountDownLatch seen = new CountDownLatch(1);
    try (Scheduler s = Scheduler.create();
        Inspector inspector = Inspector.serve(s, 0)) {
      s.spawn("hog", () -> holdUntil(seen, holds));
      s.spawn("other", () -> {});
      Thread driver = Thread.ofPlatform().start(s::run);
      holds.await();
      try (Stream page = new Stream(inspector)) {
        page.await("\"held\":{\"name\":\"hog\",\"millis\":");
        assertThat(get(inspector, "/fiber?scheduler=0&id=1")).contains("InspectorTest.holdUntil");
        assertThat(get(inspector, "/fiber?scheduler=0&id=2")).contains("a fiber holds it");
      } finally {
        seen.countDown();
        driver.join();
      }
    }
  }

  private static void holdUntil(CountDownLatch seen, CountDownLatch holds) {
    holds.countDown();
    while (seen.getCount() > 0) {
      Thread.onSpinWait();
    }
  }

  @Test
  void fiber_isToldWithWhatItWaitsFor_whoForkedIt_andItsStack() throws Exception {
    try (Scheduler s = Scheduler.builder().clock(new ManualClock()).build();
        Inspector inspector = Inspector.serve(s, 0);
        Fds.Pair pipe = Fds.pipe()) {
      s.spawn(
          "parent",
          () -> {
            try (var scope = dev.fdfiber.FiberScope.open()) {
              var child = scope.fork(() -> Scheduler.ioWait(pipe.a(), READ, 1000));
              scope.join();
              assertThat(child.resultNow()).isEqualTo(READ);
            }
          });
      s.runUntilEmpty();
      assertThat(get(inspector, "/fiber?scheduler=0&id=2"))
          .contains("[\"Waits for\",\"fd " + pipe.a() + " READ, pipe:[")
          .contains("[\"Its other end\",\"fd " + pipe.b() + "\"]")
          .contains("[\"Forked by\",\"fiber parent (1)\"]")
          .contains("[\"Limit\",\"in 1000.000 s\"]")
          .contains("dev.fdfiber.Scheduler.ioWait(Scheduler.java:");
      assertThat(get(inspector, "/fiber?scheduler=0&id=1"))
          .contains("[\"Waits for\",\"fiber fiber-2 (2)\"]");
      Fds.write(pipe.b(), "x");
      s.run();
    }
  }

  @Test
  void close_endsOpenPages_andFreesThePort() throws Exception {
    try (Scheduler s = Scheduler.create()) {
      Inspector first = Inspector.serve(s, 0);
      try (Stream page = new Stream(first)) {
        page.await("hello");
        first.close();
        first.close();
        assertThat(Sock.recvAll(page.fd, 0)).isNotNull();
        try (Inspector second = Inspector.serve(s, first.port())) {
          assertThat(get(second, "/dump")).startsWith("HTTP/1.1 200 ");
        }
      }
    }
  }

  // ---- a signal

  @TempDir Path directory;

  @Test
  void close_beforeItsThreadDrives_endsThatThreadInSilence() throws Exception {
    List<Throwable> failures = new CopyOnWriteArrayList<>();
    Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> failures.add(failure));
    try (Scheduler s = Scheduler.create()) {
      for (int i = 0; i < 50; i++) { // a thread that has just been started drives late, mostly
        Inspector.serve(s, 0).close();
      }
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(before);
    }
    assertThat(failures).isEmpty();
  }

  @Test
  @Tag("slow")
  void signal_writesADump_whileAFiberHoldsTheDriver() throws Exception {
    ChildJvm.Result child = new ChildJvm(ChildJvm.FIBER_FLAGS).run(directory, Held.class.getName());
    assertThat(child.errors()).isEmpty();
    assertThat(child.status()).isZero();
    assertThat(String.join("\n", child.out().lines().limit(10).toList()))
        .contains("likely culprit: fiber #1 hog holds the driver")
        .contains("InspectorTest$Held.hold");
  }

  @Test
  void signal_thatTheJvmKeeps_isRefused() {
    assertThatThrownBy(() -> Inspector.dumpOn("QUIT", () -> "", text -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("QUIT");
    assertThatThrownBy(() -> Inspector.dumpOn("NONE", () -> "", text -> {}))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** A program that hangs, and then gets a signal, not before. */
  static final class Held {
    private static final CountDownLatch HOLDS = new CountDownLatch(1);
    private static final CountDownLatch DUMPED = new CountDownLatch(1);

    private Held() {}

    public static void main(String[] words) throws Exception {
      try (Scheduler s = Scheduler.create();
          Inspector.Closer signal = Inspector.dumpOn("SIGUSR1", s::dump, Held::print)) {
        s.spawn("hog", Held::hold);
        Elsewhere<Process> killer = Elsewhere.start(Held::kill);
        s.run();
        killer.result();
        signal.close();
      }
    }

    private static Process kill() throws IOException, InterruptedException {
      HOLDS.await();
      String pid = Long.toString(ProcessHandle.current().pid());
      return new ProcessBuilder("kill", "-USR1", pid).start();
    }

    private static void hold() {
      HOLDS.countDown();
      while (DUMPED.getCount() > 0) {
        Thread.onSpinWait();
      }
    }

    private static void print(String dump) {
      System.out.print(dump);
      System.out.flush();
      DUMPED.countDown();
    }
  }
}
