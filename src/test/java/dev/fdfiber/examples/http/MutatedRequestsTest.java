package dev.fdfiber.examples.http;

import static dev.fdfiber.examples.http.Served.get;
import static dev.fdfiber.examples.http.Served.post;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.Uncaught;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random and mutated requests, 100,000 in all, with fixed seeds: each gives valid answers or a
 * close, and never an exception, a hang, a fiber or a descriptor that stays. Ten requests go down a
 * connection, so what one leaves behind meets the next.
 */
@FdTest
class MutatedRequestsTest {
  private static final int CONNECTIONS = 2500; // for each of four seeds
  private static final int REQUESTS = 10;
  private static final Pattern ANSWER =
      Pattern.compile("HTTP/1\\.1 (\\d{3}) [A-Z][A-Za-z -]+\r\n((?:[A-Za-z-]+: [ -~]*\r\n)*)\r\n");
  private static final Pattern LENGTH = Pattern.compile("Content-Length: (\\d+)\r\n");

  private static final List<String> SEEDS =
      List.of(
          get("/"),
          get("/a/b?c=d&e=%20", "Accept: */*", "User-Agent: x (y; z)", "Connection: keep-alive"),
          get("http://x:80/abs"),
          "HEAD /head HTTP/1.1\r\nHost: x\r\n\r\n",
          "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
          "GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
          post("Content-Length: 11\r\n", "hello\r\nyou\0"),
          post("Content-Length: 5\r\nExpect: 100-continue\r\n", "12345"),
          post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
          post(
              "Transfer-Encoding: chunked\r\n",
              "5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: u\r\n\r\n"),
          get("/stream"));

  private static final List<String> PARTS =
      List.of(
          "\r\n",
          "\r\n\r\n",
          "\n",
          "\r",
          "\0",
          " ",
          "\t",
          ":",
          "HTTP/1.1",
          "HTTP/1.0",
          "HTTP/9.9",
          "Host: y\r\n",
          "Content-Length: 3\r\n",
          "Content-Length: 99999999999\r\n",
          "Transfer-Encoding: chunked\r\n",
          "Transfer-Encoding: gzip\r\n",
          "Connection: close\r\n",
          "Expect: 100-continue\r\n",
          "0\r\n\r\n",
          "ffffffff\r\n",
          "%00",
          "%",
          "?",
          "#",
          "//",
          "..",
          "\u00e9\u00ff",
          "chunked",
          "-1",
          "0x10",
          ";",
          "GET / HTTP/1.1\r\n");

  @ParameterizedTest
  @ValueSource(longs = {3, 33, 333, 3333})
  @Tag("slow")
  void requests_giveAnswersOrAClose(long seed, Scheduler scheduler, Uncaught uncaught)
      throws Exception {
    Random random = new Random(seed);
    Served served = new Served(scheduler, MutatedRequestsTest::answer, limits());
    try (Logged logged = new Logged()) {
      for (int i = 0; i < CONNECTIONS; i++) {
        StringBuilder bytes = new StringBuilder();
        for (int r = 0; r < REQUESTS; r++) {
          bytes.append(request(random));
        }
        String sent = bytes.toString();
        String answers = served.say(sent);

        assertThat(problem(answers, sent)).as("seed %d, connection %d", seed, i).isEmpty();
        assertThat(uncaught.all()).as("seed %d, connection %d: %s", seed, i, sent).isEmpty();
        assertThat(scheduler.aliveCount()).as("seed %d, connection %d", seed, i).isZero();
      }
      assertThat(logged.isEmpty()).as("nothing is logged").isTrue();
    }
  }

  /** Clients end their sending, so only a server that hangs would ever reach these. */
  private static Limits limits() {
    Duration time = Duration.ofMinutes(5);
    return Limits.defaults().within(time, time, time);
  }

  private static Response answer(Request request) throws Exception {
    if (request.path().equals("/stream")) {
      return Response.stream("text/plain", out -> out.write("stream"));
    }
    return Served.echo(request);
  }

  private static String request(Random random) {
    int kind = random.nextInt(20);
    if (kind == 0) {
      byte[] noise = new byte[random.nextInt(200)];
      random.nextBytes(noise);
      return Served.text(noise);
    }
    StringBuilder request = new StringBuilder(SEEDS.get(random.nextInt(SEEDS.size())));
    if (kind > 10) {
      for (int n = 1 + random.nextInt(3); n > 0; n--) {
        mutate(request, random);
      }
    }
    return request.toString();
  }

  private static void mutate(StringBuilder request, Random random) {
    int at = random.nextInt(request.length() + 1);
    int end = Math.min(request.length(), at + random.nextInt(8));
    switch (random.nextInt(5)) {
      case 0 -> request.insert(at, PARTS.get(random.nextInt(PARTS.size())));
      case 1 -> request.delete(at, end);
      case 2 -> request.insert(at, (char) random.nextInt(256));
      case 3 -> request.insert(at, request.substring(at, end).repeat(random.nextInt(40)));
      default -> request.replace(at, end, PARTS.get(random.nextInt(PARTS.size())));
    }
  }

  /** What is wrong with the answers, one behind the other; empty if nothing is. */
  private static String problem(String answers, String sent) {
    int at = 0;
    boolean mayBeHead = sent.contains("HEAD");
    Matcher answer = ANSWER.matcher(answers);
    boolean last = false;
    while (at < answers.length()) {
      if (last) {
        return "more after the last answer: " + answers.substring(at);
      }
      if (!answer.find(at) || answer.start() != at) {
        return "no answer at " + at + ": " + answers.substring(at);
      }
      at = bodyEnd(answers, answer, mayBeHead);
      if (at < 0) {
        return "a body is cut off: " + answer.group();
      }
      last = answer.group(2).contains("Connection: close\r\n");
    }
    return "";
  }

  private static int bodyEnd(String answers, Matcher answer, boolean mayBeHead) {
    int start = answer.end();
    if (mayBeHead && (start == answers.length() || answers.startsWith("HTTP/1.1 ", start))) {
      return start;
    }
    if (answer.group(2).contains("chunked")) {
      String whole = "6\r\nstream\r\n0\r\n\r\n";
      return answers.startsWith(whole, start) ? start + whole.length() : -1;
    }
    Matcher length = LENGTH.matcher(answer.group(2));
    int end = start + (length.find() ? Integer.parseInt(length.group(1)) : 0);
    boolean untilClose = answer.group(2).contains("Connection: close") && !length.reset().find();
    if (untilClose && !answer.group(1).equals("100")) {
      return answers.length();
    }
    return end <= answers.length() ? end : -1;
  }

  @Test
  void theCheck_seesWhatIsWrong() {
    String right = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    assertThat(problem(right + right, "")).isEmpty();
    assertThat(problem(right + "x", "")).isNotEmpty();
    assertThat(problem(right.substring(0, right.length() - 1), "")).isNotEmpty();
    assertThat(problem(right.replace("HTTP", "HTP"), "")).isNotEmpty();
    assertThat(problem(right.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n") + right, ""))
        .isNotEmpty();
  }
}
