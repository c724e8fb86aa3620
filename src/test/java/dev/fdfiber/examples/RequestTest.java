package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.Leaks;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the worker makes of the bytes that a client sends. */
@ExtendWith(Leaks.class)
class RequestTest {
  private Serving serving;

  @BeforeEach
  void start() throws Exception {
    serving = Serving.start(Serving.ANY_PORT.withLimits(0.1, 0.1));
  }

  @AfterEach
  void stop() throws Exception {
    serving.close();
  }

  @Test
  void unknownPath_is404() throws Exception {
    assertThat(serving.get("/nope")).startsWith("HTTP/1.1 404 Not Found\r\n");
  }

  @Test
  void otherMethod_is405_andTellsWhichAreAllowed() throws Exception {
    assertThat(serving.request("DELETE", "/batch"))
        .startsWith("HTTP/1.1 405 Method Not Allowed\r\n")
        .contains("\r\nAllow: GET, HEAD, POST\r\n");
    assertThat(serving.request("POST", "/")).contains("\r\nAllow: GET, HEAD\r\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bogus\r\n\r\n",
        "\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        "GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /  HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\0\r\n\r\n",
        "GET /upstream?ms=-1 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /upstream?ms=NaN HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /batch?steps=a HTTP/1.1\r\nHost: x\r\n\r\n",
      })
  void malformed_is400(String bytes) throws Exception {
    assertThat(serving.send(bytes)).startsWith("HTTP/1.1 400 Bad Request\r\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /upstream?ms=0 HTTP/1.0\r\n\r\n",
        "GET http://test:80/upstream?ms=0 HTTP/1.1\r\nHost: test:80\r\n\r\n",
        "GET /upstream?a=b&ms=0 HTTP/1.1\r\nHost:\r\nX-\u00e9: \u00e9\r\n\r\n",
      })
  void unusualButRight_isServed(String bytes) throws Exception {
    assertThat(serving.send(bytes.replace("X-\u00e9", "X")))
        .startsWith("HTTP/1.1 200 OK\r\n")
        .contains("\r\nContent-Length: 16\r\n", "\r\nCache-Control: no-store\r\n")
        .endsWith("\r\n\r\nnews after 0 ms\n");
  }

  @Test
  void head_upToTheLimit_isServed_oneByteMore_is431() throws Exception {
    String start = "GET /fibers HTTP/1.1\r\nHost: x\r\nX: ";
    String end = "\r\n\r\n";
    int room = Request.MAX_HEAD - start.length() - end.length();

    assertThat(serving.send(start + "a".repeat(room) + end)).startsWith("HTTP/1.1 200 OK\r\n");
    assertThat(serving.send(start + "a".repeat(room + 1) + end)).startsWith("HTTP/1.1 431 ");
    assertThat(serving.send(start + "a".repeat(500_000) + end)).startsWith("HTTP/1.1 431 ");
  }

  @Test
  void headRequest_getsTheHeadAlone() throws Exception {
    assertThat(serving.request("HEAD", "/upstream?ms=0"))
        .contains("\r\nContent-Length: 16\r\n")
        .endsWith("\r\n\r\n");
    assertThat(serving.request("HEAD", "/events"))
        .contains("\r\nContent-Type: text/event-stream")
        .endsWith("\r\n\r\n");
  }

  @Test
  void body_isIgnored_andTheAnswerStillArrives() throws Exception {
    String head = "POST /batch?steps=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n";

    assertThat(serving.send(head + "a".repeat(300_000))).contains("{\"steps\":1,");
  }

  @Test
  void head_thatDoesNotCome_is408() throws Exception {
    assertThat(serving.send("GET / HTTP/1.1\r\nHo")).startsWith("HTTP/1.1 408 Request Timeout\r\n");
  }

  @Test
  void silence_endsTheConnection_withoutAWord() throws Exception {
    assertThat(serving.send("")).isEmpty();
  }
}
