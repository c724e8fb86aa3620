package dev.fdfiber.examples.http;

import static dev.fdfiber.examples.http.Served.get;
import static dev.fdfiber.examples.http.Served.post;
import static dev.fdfiber.examples.http.Served.statuses;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Defect 19: the ancestor passed chunked bodies on undecoded. RFC 9112 section 7.1. */
@FdTest
class ChunkedBodyTest {
  private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";
  private Served served;

  @BeforeEach
  void serve(Scheduler scheduler) {
    served = new Served(scheduler, Served::echo);
  }

  @Test
  void chunks_areDecoded_andTheNextRequestIsServed() throws Exception {
    String body =
        "3\r\nabc\r\n00A;x=\"y\"\r\n0123456789\r\n1 \t;z\r\n!\r\n0;last\r\nX-T: t\r\n\r\n";

    String answers = served.say(post(CHUNKED, body) + get("/next"));

    assertThat(answers).contains("\r\n\r\nPOST /  abc0123456789!HTTP/1.1 200 OK\r\n");
    assertThat(answers).endsWith("\r\n\r\nGET /next  ");
  }

  @Test
  void anyBytes_inAnyChunks_inAnyPieces_arriveAsTheyWere() throws Exception {
    long seed = 20_251_125;
    Random random = new Random(seed);
    for (int round = 0; round < 100; round++) {
      StringBuilder plain = new StringBuilder();
      StringBuilder chunks = new StringBuilder();
      for (int chunk = random.nextInt(20); chunk > 0; chunk--) {
        int length = 1 + random.nextInt(random.nextBoolean() ? 5 : 3000);
        String data = bytes(random, length);
        plain.append(data);
        chunks.append(Integer.toHexString(length).toUpperCase(Locale.ROOT)).append("\r\n");
        chunks.append(data).append("\r\n");
      }
      String request = post(CHUNKED, chunks + "0\r\n\r\n") + get("/next");
      StringBuilder answer = new StringBuilder();
      served.with(fd -> {
        for (int at = 0; at < request.length(); ) {
          int end = Math.min(request.length(), at + 1 + random.nextInt(2000));
          byte[] piece = Served.bytes(request.substring(at, end));
          Sock.writeBytes(fd, piece, piece.length);
          Scheduler.pause(0);
          at = end;
        }
        Sock.shutdownWrite(fd);
        answer.append(Served.text(Sock.recvAll(fd, 0)));
      });
      assertThat(answer.toString())
          .as("seed %d, round %d", seed, round)
          .contains("\r\n\r\nPOST /  " + plain + "HTTP/1.1 200 OK\r\n")
          .endsWith("\r\n\r\nGET /next  ");
    }
  }

  private static String bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return Served.text(bytes);
  }

  @Test
  void end_beforeTheLastChunk_is400() throws Exception {
    assertThat(statuses(served.say(post(CHUNKED, "3\r\nabc\r\n")))).containsExactly("400");
    assertThat(statuses(served.say(post(CHUNKED, "3\r\nab")))).containsExactly("400");
    assertThat(statuses(served.say(post(CHUNKED, "3\r\nabc\r\n0\r\n")))).containsExactly("400");
  }

  @Test
  void longerThanTheLimit_is413(Scheduler scheduler) throws Exception {
    Limits limits = Limits.defaults().withBodyBytes(10);
    Served small = new Served(scheduler, Served::echo, limits);
    assertThat(statuses(small.say(post(CHUNKED, "a\r\n0123456789\r\n0\r\n\r\n"))))
        .containsExactly("200");
    assertThat(statuses(small.say(post(CHUNKED, "5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n"))))
        .containsExactly("413");
    assertThat(statuses(small.say(post(CHUNKED, "ffffffffffffff\r\n")))).containsExactly("413");
    assertThat(statuses(small.say(post("Content-Length: 11\r\n", "0123456789a"))))
        .containsExactly("413");
  }

  @Test
  void extensionsAndTrailers_areBounded() throws Exception {
    String chunk = "1;" + "x".repeat(1000) + "\r\na\r\n";
    String end = "0\r\n\r\n";
    assertThat(statuses(served.say(post(CHUNKED, chunk.repeat(16) + end)))).containsExactly("200");
    assertThat(statuses(served.say(post(CHUNKED, chunk.repeat(17) + end)))).containsExactly("400");
    String longChunk = "1;" + "x".repeat(2000) + "\r\na\r\n";
    assertThat(statuses(served.say(post(CHUNKED, longChunk + end)))).containsExactly("400");

    String field = "X: y\r\n";
    assertThat(statuses(served.say(post(CHUNKED, "0\r\n" + field.repeat(100) + "\r\n"))))
        .containsExactly("200");
    assertThat(statuses(served.say(post(CHUNKED, "0\r\n" + field.repeat(101) + "\r\n"))))
        .containsExactly("431");
    String large = "X: " + "y".repeat(9000) + "\r\n\r\n";
    assertThat(statuses(served.say(post(CHUNKED, "0\r\n" + large)))).containsExactly("431");
  }
}
