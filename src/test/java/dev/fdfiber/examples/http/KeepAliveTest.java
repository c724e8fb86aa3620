package dev.fdfiber.examples.http;

import static dev.fdfiber.examples.http.Served.get;
import static dev.fdfiber.examples.http.Served.post;
import static dev.fdfiber.examples.http.Served.statuses;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which connections go on after an answer: RFC 9112 section 9.3. */
@FdTest
class KeepAliveTest {
  private Served served;

  @BeforeEach
  void serve(Scheduler scheduler) {
    served = new Served(scheduler, Served::echo);
  }

  @Test
  void http11_goesOn_unlessTheClientSaysClose() throws Exception {
    String answers = served.sayAndWait(get("/1") + get("/2", "Connection: x, CLOSE") + get("/3"));

    assertThat(statuses(answers)).containsExactly("200", "200");
    assertThat(answers.split("Connection: close", -1)).hasSize(2);
    assertThat(answers).endsWith("GET /2  ");
  }

  @Test
  void http10_ends_unlessTheClientSaysKeepAlive() throws Exception {
    assertThat(statuses(served.sayAndWait("GET / HTTP/1.0\r\n\r\n" + get("/"))))
        .containsExactly("200");

    String kept = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
    String answers = served.sayAndWait(kept + "GET /2 HTTP/1.0\r\n\r\n");
    assertThat(statuses(answers)).containsExactly("200", "200");
    assertThat(answers).contains("\r\nConnection: keep-alive\r\n", "\r\nConnection: close\r\n");
  }

  @Test
  void serverThatStops_saysCloseWithItsLastAnswer(Scheduler scheduler) throws Exception {
    Served[] stopping = new Served[1];
    stopping[0] =
        new Served(
            scheduler,
            request -> {
              stopping[0].isStopping = true;
              return Response.text(200, "ok");
            });
    Served server = stopping[0];
    String answers = server.sayAndWait(get("/1") + get("/2"));

    assertThat(statuses(answers)).containsExactly("200");
    assertThat(answers).contains("\r\nConnection: close\r\n");
  }

  @Test
  void expected100_isSent_whenTheBodyIsAskedFor() throws Exception {
    served.with(fd -> {
      Sock.writeStr(fd, post("Content-Length: 3\r\nExpect: 100-Continue\r\n", ""));
      assertThat(Served.text(Sock.recvSome(fd, 0))).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
      Sock.writeStr(fd, "abc");
      assertThat(Served.text(Sock.recvSome(fd, 0))).endsWith("POST /  abc");
    });
  }

  @Test
  void expected100_isNotSent_whenTheBodyIsComingAlready() throws Exception {
    String request = post("Content-Length: 3\r\nExpect: 100-continue\r\n", "abc");

    assertThat(statuses(served.say(request + get("/")))).containsExactly("200", "200");
  }

  @Test
  void expected100_ofABodyThatNobodyWants_isTheAnswer_andTheConnectionEnds(Scheduler scheduler)
      throws Exception {
    Served refusing = new Served(scheduler, request -> Response.text(404, "no\n"));
    String request = post("Content-Length: 3\r\nExpect: 100-continue\r\n", "");

    String answers = refusing.sayAndWait(request);
    assertThat(statuses(answers)).containsExactly("404");
    assertThat(answers).contains("\r\nConnection: close\r\n");
  }

  @Test
  void answerOnAConnectionThatEnds_isNotLost_whateverTheClientStillSends() throws Exception {
    String refused = "BAD\r\n\r\n" + "x".repeat(3_000_000);

    assertThat(statuses(served.say(refused))).containsExactly("400");
  }

  @Test
  void fieldOfAnAnswer_thatWouldBeTwoLines_isRefused() {
    Response response = Response.empty(204);
    for (String value : new String[] {"a\r\nb", "a\n", "\0", "\u20ac"}) {
      assertThatIllegalArgumentException().isThrownBy(() -> response.with("X", value));
    }
    assertThatIllegalArgumentException().isThrownBy(() -> response.with("X:", "y"));
  }
}
