package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.examples.http.Request;
import dev.fdfiber.examples.http.Response;
import dev.fdfiber.examples.http.Routes;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The worker's three uses side by side, and what must not end it. */
@FdTest
class WorkerTest {

  @BeforeAll
  static void openWhatTheJdkKeeps() throws IOException {
    SocketChannel.open().close(); // a socket pair, for closing others
  }

  // ---- the stream

  /** Never less, and at most ten on a machine with much to do. */
  private static final String ABOUT_A_SECOND = "\"pausedMillis\":[1-9]\\d{3}\\.";

  @Test
  @Tag("slow")
  void events_comeAtOnceAndThenEachSecond_beside1000ParkedConnections() throws Exception {
    try (Serving serving = Serving.start()) {
      List<Integer> parked = serving.park(1000);
      try (Curl curl = Curl.start("-N", serving.url("/events"))) {
        assertThat(curl.next("data: ")).contains("\"n\":1,\"pausedMillis\":0.00,");
        assertThat(curl.next("data: ")).containsPattern("\"n\":2," + ABOUT_A_SECOND);
        assertThat(curl.next("data: ")).containsPattern("\"n\":3," + ABOUT_A_SECOND);
      } finally {
        Serving.close(parked);
      }
    }
  }

  @Test
  void events_whenTheClientIsGone_endAtOnce_withoutAWord() throws Exception {
    try (Serving serving = Serving.start()) {
      int fd = serving.connect();
      Sock.writeStr(fd, "GET /events?ms=60000 HTTP/1.1\r\nHost: test\r\n\r\n");
      Sock.recvSome(fd, 1);
      while (connections(serving) != 1) {
        serving.get("/upstream?ms=5"); // until he is gone who was led to the page
      }
      Sock.close(fd);

      while (connections(serving) > 0) {
        serving.get("/upstream?ms=5");
      }
    }
  }

  /** How many there are. */
  private static long connections(Serving serving) throws IOException {
    Pattern name = Pattern.compile("worker-1 fd \\d");
    return serving
        .fibers("/dump")
        .lines()
        .dropWhile(line -> !line.equals("fibers:"))
        .filter(line -> name.matcher(line).find())
        .count();
  }

  // ---- the long-poll

  @Test
  @Tag("slow")
  void poll_waitsForTheWorkersOwnUpstream_andRelaysIt() throws Exception {
    try (Serving serving = Serving.start()) {
      assertThat(Curl.lines("-w", "%{http_code} %{time_total}", serving.url("/poll?ms=300")))
          .satisfiesExactly(
              body -> assertThat(body).isEqualTo("news after 300 ms"),
              status -> assertThat(status).matches("200 (0\\.[3-9]|[12]\\.)\\d*"));
    }
  }

  @Test
  void poll_withoutNews_is204() throws Exception {
    try (Serving serving = Serving.start()) {
      assertThat(serving.get("/poll?ms=60000&wait=0.02"))
          .startsWith("HTTP/1.1 204 No Content\r\n")
          .endsWith("\r\n\r\n");
    }
  }

  @Test
  void poll_whenNobodyListens_is502() throws Exception {
    try (Socket nobody = new Socket()) { // keeps its port from the server, which wants any
      nobody.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      try (Serving serving = Serving.start(askingPort(nobody.getLocalPort()))) {
        assertThat(serving.get("/poll"))
            .startsWith("HTTP/1.1 502 Bad Gateway\r\n")
            .contains("ECONNREFUSED");
      }
    }
  }

  @Test
  void poll_ofAnotherUpstream_relaysWhatIsHttp_andNothingElse() throws Exception {
    int listener = Sock.listen(0, false);
    try (Serving serving = Serving.start(askingPort(Sock.localPort(listener)))) {
      assertThat(pollAnswered(serving, listener, "HTTP/1.0 200 OK\r\n\r\nhé\n"))
          .startsWith("HTTP/1.1 200 OK\r\n")
          .contains("\r\nContent-Length: 4\r\n")
          .endsWith("\r\n\r\nhé\n");
      assertThat(pollAnswered(serving, listener, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhe"))
          .startsWith("HTTP/1.1 502 ");
      assertThat(pollAnswered(serving, listener, "HTTP/1.1 500 Oh\r\n\r\n"))
          .startsWith("HTTP/1.1 502 ");
      assertThat(pollAnswered(serving, listener, "")).startsWith("HTTP/1.1 502 ");
    } finally {
      Sock.close(listener);
    }
  }

  private static String pollAnswered(Serving serving, int listener, String answer)
      throws Exception {
    int client = serving.connect();
    try {
      Sock.writeStr(client, "GET /poll?ms=7 HTTP/1.0\r\n\r\n");
      int upstream = Sock.accept(listener);
      String asked = new String(Sock.recvSome(upstream, 0), StandardCharsets.UTF_8);
      assertThat(asked).startsWith("GET /upstream?ms=7 HTTP/1.0\r\n");
      Sock.writeStr(upstream, answer);
      Sock.close(upstream);
      return new String(Sock.recvAll(client, 0), StandardCharsets.UTF_8);
    } finally {
      Sock.close(client);
    }
  }

  private static Options askingPort(int port) {
    return Serving.ANY_PORT.withUpstream(new Options.Upstream("127.0.0.1", port));
  }

  // ---- the batch

  @Test
  @Tag("slow")
  void batch_letsTheEventsGoOn() throws Exception {
    try (Serving serving = Serving.start();
        Curl events = Curl.start("-N", serving.url("/events?ms=10"))) {
      long before = number("n", events.next("data: "));

      String batch = serving.request("POST", "/batch?steps=100");

      assertThat(number("steps", batch)).isEqualTo(100);
      assertThat(number("resumes", batch)).as("turns of the stream").isGreaterThan(5);
      for (long n = before + 1; n <= before + 5; n++) {
        assertThat(number("n", events.next("data: "))).isEqualTo(n);
      }
    }
  }

  @Test
  @Tag("slow")
  void batches_takeTurns_andAllAreAnswered() throws Exception {
    try (Serving serving = Serving.start()) {
      assertThat(Curl.lines("--parallel", "-w", "\n", serving.url("/batch?steps=5&n=[1-20]")))
          .filteredOn(line -> line.startsWith("{\"steps\":5,"))
          .hasSize(20);
    }
  }

  private static long number(String name, String json) {
    Matcher field = Pattern.compile("\"" + name + "\":(\\d+)").matcher(json);
    assertThat(field.find()).as("%s in %s", name, json).isTrue();
    return Long.parseLong(field.group(1));
  }

  // ---- the page

  @Test
  void page_showsTheThreeParts_andAsksNobodyElse() throws Exception {
    try (Serving serving = Serving.start()) {
      assertThat(serving.get("/"))
          .startsWith("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n")
          .contains("\r\nContent-Security-Policy: default-src 'none';")
          .contains("EventSource('/events')", "fetch('/poll?", "fetch('/batch'")
          .contains("aria-live=\"polite\"", "prefers-color-scheme: dark", "width=device-width")
          .doesNotContain("http://", "https://", "innerHTML")
          .endsWith("</html>\n");
    }
  }

  // ---- the page of the fibers

  @Test
  @Tag("slow") // until the page believes it
  void fibers_stayLive_andCanBeOpened_whileAFiberHoldsTheDriver() throws Exception {
    CountDownLatch seen = new CountDownLatch(1);
    Consumer<Routes> hog = routes -> routes.add("/hog", Set.of("GET"), request -> hog(seen));
    try (Serving serving = Serving.start(Serving.ANY_PORT, hog)) {
      int page = serving.openFibers("/live");
      int client = serving.connect();
      Sock.writeStr(client, "GET /hog HTTP/1.0\r\n\r\n");
      try {
        long first = number("millis", awaitHeld(page));
        assertThat(number("millis", awaitHeld(page))).as("goes on").isGreaterThan(first);
        int late = serving.openFibers("/"); // whose address was told before
        assertThat(text(Sock.recvAll(late, 0))).contains("<title>fibers</title>");
        Sock.close(late);
      } finally {
        seen.countDown();
      }
      assertThat(text(Sock.recvAll(client, 0))).endsWith("held\n");
      Sock.close(client);
      Sock.close(page);
    }
  }

  private static Response hog(CountDownLatch seen) {
    while (seen.getCount() > 0) {
      Thread.onSpinWait();
    }
    return Response.text(200, "held\n");
  }

  /** The next that an open page is told of a driver that is held. */
  private static String awaitHeld(int page) throws IOException {
    StringBuilder told = new StringBuilder();
    while (told.indexOf("\"held\":{\"name\":\"worker-1 fd ") < 0) {
      byte[] some = Sock.recvSome(page, 0);
      assertThat(some).as("more than %s", told).isNotEmpty();
      told.append(text(some));
    }
    return told.toString();
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Test
  void fibers_leadToThePage_byTheNameThatTheClientHas() throws Exception {
    try (Serving serving = Serving.start()) {
      for (String name : List.of("localhost", "127.0.0.1", "[::1]", "rebound.example")) {
        String ask = "GET /fibers/dump?a=b HTTP/1.0\r\nHost: " + name + ":80\r\n\r\n";
        String page = name + ":" + serving.fibersPort();
        assertThat(serving.send(ask))
            .startsWith("HTTP/1.1 307 ")
            .contains("\r\nLocation: http://" + page + "/dump?a=b\r\n");
        assertThat(
                Serving.send(
                    serving.fibersPort(), "GET /dump HTTP/1.1\r\nHost: " + page + "\r\n\r\n"))
            .startsWith(name.equals("rebound.example") ? "HTTP/1.1 403 " : "HTTP/1.1 200 ");
      }
      assertThat(serving.send("GET /fibers HTTP/1.0\r\n\r\n"))
          .contains("\r\nLocation: http://127.0.0.1:" + serving.fibersPort() + "/\r\n");
    }
  }

  // ---- many at once

  @Test
  @Tag("slow")
  void twoHundredClientsAtOnce_areAllAnswered() throws Exception {
    try (Serving serving = Serving.start()) {
      String url = serving.url("/upstream?ms=500&n=[1-200]");
      List<String> lines =
          Curl.lines("--parallel", "--parallel-immediate", "--parallel-max", "200", url);

      assertThat(lines).isEqualTo(Collections.nCopies(200, "news after 500 ms"));
    }
  }

  @Test
  @Tag("slow")
  void httpClient_inAHandler_asksItsOwnThread_andTimersKeepGoing() throws Exception {
    try (HttpClient client = HttpClient.newHttpClient();
        Serving serving = Serving.start(Serving.ANY_PORT, routes -> add(routes, client))) {
      assertThat(serving.get("/self?port=" + serving.port())).endsWith("after 10 ticks\n");
    }
  }

  private static void add(Routes routes, HttpClient client) {
    CountDownLatch ticks = new CountDownLatch(10);
    routes.add(
        "/ticks",
        Set.of("GET"),
        request -> {
          ticks.await();
          return Response.text(200, "after 10 ticks\n");
        });
    routes.add(
        "/self",
        Set.of("GET"),
        request -> {
          Scheduler.current().spawn("timer", () -> tick(ticks));
          int port = (int) request.number("port", 0, 1, 65_535);
          URI uri = URI.create("http://127.0.0.1:" + port + "/ticks");
          HttpRequest ask = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(60)).build();
          return Response.text(200, client.send(ask, BodyHandlers.ofString()).body());
        });
  }

  private static void tick(CountDownLatch ticks) throws InterruptedException {
    while (ticks.getCount() > 0) {
      Scheduler.pause(0.01);
      ticks.countDown();
    }
  }

  // ---- what it makes of other requests

  @Test
  void unknownPath_is404_otherMethod_405_wrongNumber_400() throws Exception {
    try (Serving serving = Serving.start()) {
      assertThat(serving.get("/nope")).startsWith("HTTP/1.1 404 Not Found\r\n");
      assertThat(serving.request("DELETE", "/batch"))
          .startsWith("HTTP/1.1 405 Method Not Allowed\r\n")
          .contains("\r\nAllow: GET, HEAD, POST\r\n");
      assertThat(serving.request("POST", "/")).contains("\r\nAllow: GET, HEAD\r\n");
      for (String path : List.of("/upstream?ms=-1", "/upstream?ms=NaN", "/batch?steps=a")) {
        assertThat(serving.get(path)).startsWith("HTTP/1.1 400 Bad Request\r\n");
      }
    }
  }

  @Test
  void digest_tellsLengthAndHashOfWhatWasSent() throws Exception {
    try (Serving serving = Serving.start()) {
      String head = "PUT /digest HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n";
      assertThat(serving.send(head + "\r\nabc"))
          .contains("\"bytes\":3,\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9c");
    }
  }

  // ---- what must not end it

  @Test
  void handler_thatThrows_isA500_andTheOthersGoOn() throws Exception {
    Consumer<Routes> boom = routes -> routes.add("/boom", Set.of("GET"), WorkerTest::boom);
    try (Serving serving = Serving.start(Serving.ANY_PORT, boom)) {
      int other = serving.connect();
      Sock.writeStr(other, "GET /upstream?ms=20 HTTP/1.0\r\n\r\n");

      assertThat(serving.get("/boom"))
          .startsWith("HTTP/1.1 500 Internal Server Error\r\n")
          .doesNotContain("boom");

      assertThat(new String(Sock.recvAll(other, 0), StandardCharsets.UTF_8))
          .endsWith("news after 20 ms\n");
      assertThat(serving.get("/")).startsWith("HTTP/1.1 200 OK\r\n");
      assertThat(serving.uncaught.remove()).matches("worker-1 fd \\d+: .*AssertionError: boom");
      Sock.close(other);
    }
  }

  private static Response boom(Request request) {
    throw new AssertionError("boom");
  }

  @Test
  void close_withoutStarting_leavesNothing_andTwiceIsFine() throws Exception {
    Worker worker = Worker.open(Serving.ANY_PORT);
    worker.close();
    worker.close();
  }

  @Test
  @Timeout(60)
  void workers_allServe() throws Exception {
    try (Serving serving = Serving.start(Serving.ANY_PORT.withWorkers(3))) {
      List<String> acceptors = List.of("worker-1 accept", "worker-2 accept", "worker-3 accept");
      String fibers = "";
      while (!acceptors.stream().allMatch(fibers::contains)) {
        fibers = serving.fibers("/dump"); // whoever leads there may have started before the others
      }
      for (int i = 0; i < 50; i++) {
        assertThat(serving.get("/hello")).endsWith("\r\n\r\nhello\n");
      }
    }
  }
}
