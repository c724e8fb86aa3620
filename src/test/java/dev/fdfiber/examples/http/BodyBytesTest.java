package dev.fdfiber.examples.http;

import static dev.fdfiber.examples.http.Served.get;
import static dev.fdfiber.examples.http.Served.post;
import static dev.fdfiber.examples.http.Served.statuses;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.FdTest;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Defects 17 and 18: bodies are bytes, and their length is counted in bytes. */
@FdTest
class BodyBytesTest {

  @Test
  void nulBytes_arriveAndReturn(Scheduler scheduler) throws Exception {
    String body = "\0a\0\0b" + "\0".repeat(45);
    Served served = new Served(scheduler, Served::echo);
    assertThat(served.say(post("Content-Length: 50\r\n", body))).endsWith("POST /  " + body);
  }

  @Test
  void text_thatIsNotAscii_hasItsLengthInBytes(Scheduler scheduler) throws Exception {
    String text = "h\u00e9llo w\u00f6rld \u20ac\ud83d\ude00";
    int length = text.getBytes(StandardCharsets.UTF_8).length;
    Served served = new Served(scheduler, request -> Response.text(200, text));
    String answer = served.say(get("/"));

    assertThat(answer).contains("\r\nContent-Length: " + length + "\r\n");
    assertThat(new String(Served.bytes(answer), StandardCharsets.UTF_8))
        .endsWith("\r\n\r\n" + text);
  }

  @Test
  void requestBody_thatIsNotAscii_isReadToItsLengthAndNoFurther(Scheduler scheduler)
      throws Exception {
    String text = "\u00e9\u00e8\u20ac";
    String body = Served.text(text.getBytes(StandardCharsets.UTF_8));
    Handler handler = request -> Response.text(200, request.body().text(100));
    Served served = new Served(scheduler, handler);
    String answers = served.say(post("Content-Length: 7\r\n", body) + get("/"));

    assertThat(statuses(answers)).containsExactly("200", "200");
    assertThat(answers).contains("\r\n\r\n" + body + "HTTP/1.1 200 OK");
  }

  @Test
  void bodyThatNobodyReads_isSkipped(Scheduler scheduler) throws Exception {
    Handler handler = request -> Response.text(200, "ok");
    String body = get("/hidden").repeat(1000);
    Served served = new Served(scheduler, handler);
    String request = post("Content-Length: " + body.length() + "\r\n", body);

    assertThat(statuses(served.say(request + get("/next")))).containsExactly("200", "200");
  }

  @Test
  void longBodyThatNobodyReads_endsTheConnection_andTheAnswerArrives(Scheduler scheduler)
      throws Exception {
    Handler handler = request -> Response.text(200, "ok");
    String body = get("/hidden").repeat(100_000);
    Served served = new Served(scheduler, handler);
    String request = post("Content-Length: " + body.length() + "\r\n", body);

    String answers = served.say(request + get("/next"));
    assertThat(statuses(answers)).containsExactly("200");
    assertThat(answers).contains("\r\nConnection: close\r\n").endsWith("ok");
  }

  @Test
  void bodyOverTheLimitOfAHandler_is413_andTheNextRequestIsServed(Scheduler scheduler)
      throws Exception {
    Handler handler = request -> Response.text(200, request.body().text(3));
    Served served = new Served(scheduler, handler);
    String large = post("Content-Length: 4\r\n", "four");
    String right = post("Content-Length: 3\r\n", "abc");

    assertThat(statuses(served.say(large + right))).containsExactly("413", "200");
  }

  @Test
  void body_thatEndsEarly_is400(Scheduler scheduler) throws Exception {
    Served served = new Served(scheduler, Served::echo);
    assertThat(statuses(served.say(post("Content-Length: 9\r\n", "short")))).containsExactly("400");
  }
}
