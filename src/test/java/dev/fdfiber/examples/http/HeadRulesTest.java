package dev.fdfiber.examples.http;

import static dev.fdfiber.examples.http.Served.get;
import static dev.fdfiber.examples.http.Served.statuses;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Heads, right and wrong: RFC 9112 sections 2 to 5. */
@FdTest
class HeadRulesTest {
  private Served served;

  @BeforeEach
  void serve(Scheduler scheduler) {
    served = new Served(scheduler, Served::echo);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bogus\r\n\r\n",
        "\r\n\r\n", // one empty line before a request is forgiven
        "\n\n",
        "GET\r\n\r\n",
        "GET / \r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
        "GET /  HTTP/1.1\r\nHost: x\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / http/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.10\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.\r\nHost: x\r\n\r\n",
        "GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://a@b/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /#a HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n: none\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX\t: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n\tb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: \u007f\r\n\r\n",
        "GET / HTTP/1.1\nHost: x\n\n",
        "GET / HTTP/1.1\r\nHost: x\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\r",
      })
  void malformed_is400_once_andTheConnectionEnds(String bytes) throws Exception {
    String answers = served.say(bytes + get("/next"));

    assertThat(statuses(answers)).containsExactly("400");
    assertThat(answers).contains("\r\nConnection: close\r\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /a?b=c HTTP/1.0\r\n\r\n",
        "\r\nGET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://test:80/a?b=c HTTP/1.1\r\nHost: test:80\r\n\r\n",
        "GET HTTPS://[::1]:80/a?b=c HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "GET /a?b=c HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /a?b=c HTTP/1.1\r\nhOST:x\t \r\nX-~: \u00e9 \t~\r\nEmpty:\r\n\r\n",
        "GET /a?b=c HTTP/1.2\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        "GET /a?b=c HTTP/1.1\r\nHost: x\r\nX: 1\r\nX: 2\r\n\r\n",
      })
  void unusualButRight_isServed(String bytes) throws Exception {
    assertThat(served.say(bytes)).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n\r\nGET /a b=c ");
  }

  @Test
  void absoluteTarget_withoutAPath_isTheRoot() throws Exception {
    assertThat(served.say("GET http://x HTTP/1.1\r\nHost: x\r\n\r\n")).endsWith("\r\n\r\nGET /  ");
    assertThat(served.say("GET http://x?a HTTP/1.1\r\nHost: x\r\n\r\n"))
        .endsWith("\r\n\r\nGET / a ");
    assertThat(served.say("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")).endsWith("\r\n\r\nOPTIONS *  ");
  }

  @Test
  void otherVersion_is505() throws Exception {
    assertThat(statuses(served.say("GET / HTTP/2.0\r\nHost: x\r\n\r\n"))).containsExactly("505");
    assertThat(statuses(served.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))).containsExactly("505");
  }

  @Test
  void otherExpectation_is417() throws Exception {
    assertThat(statuses(served.say(get("/", "Expect: a miracle")))).containsExactly("417");
  }

  @Test
  void head_upToTheLimit_isServed_oneByteMore_is431() throws Exception {
    int most = Limits.defaults().headBytes();
    int room = most - get("/", "X: ").length();

    assertThat(statuses(served.say(get("/", "X: " + "a".repeat(room))))).containsExactly("200");
    assertThat(statuses(served.say(get("/", "X: " + "a".repeat(room + 1))))).containsExactly("431");
    assertThat(statuses(served.say(get("/", "X: " + "a".repeat(500_000))))).containsExactly("431");
  }

  @Test
  void firstLine_upToTheLimit_isServed_oneByteMore_is414() throws Exception {
    int room = Limits.defaults().targetBytes() - "GET / HTTP/1.1".length();

    assertThat(statuses(served.say(get("/" + "a".repeat(room))))).containsExactly("200");
    assertThat(statuses(served.say(get("/" + "a".repeat(room + 1))))).containsExactly("414");
    assertThat(statuses(served.say(get("/" + "a".repeat(500_000))))).containsExactly("414");
  }

  @Test
  void fields_upToTheLimit_areServed_oneMore_is431() throws Exception {
    String[] fields = new String[Limits.defaults().fields() - 1]; // and Host
    Arrays.fill(fields, "X: y");

    assertThat(statuses(served.say(get("/", fields)))).containsExactly("200");
    assertThat(statuses(served.say(get("/", fields).replace("Host: x", "Host: x\r\nY: z"))))
        .containsExactly("431");
  }

  @Test
  void head_byteByByte_isServed() throws Exception {
    StringBuilder answer = new StringBuilder();
    served.with(fd -> {
      for (char c : get("/slow", "X: y").toCharArray()) {
        Sock.writeStr(fd, "" + c);
        Scheduler.pause(0);
      }
      Sock.shutdownWrite(fd);
      answer.append(Served.text(Sock.recvAll(fd, 0)));
    });
    assertThat(answer.toString()).startsWith("HTTP/1.1 200 OK").endsWith("GET /slow  ");
  }

  @Test
  void end_inTheMiddleOfAHead_is400_beforeIt_isSilence() throws Exception {
    assertThat(statuses(served.say("GET / HT"))).containsExactly("400");
    assertThat(served.say("")).isEmpty();
    assertThat(served.say("\r\n")).isEmpty();
  }

  @Test
  void headRequest_getsTheHeadAlone_andTheNextIsServed() throws Exception {
    String answers =
        served.say(get("/one").replace("GET", "HEAD") + get("/two").replace("GET", "HEAD"));

    assertThat(statuses(answers)).containsExactly("200", "200");
    assertThat(answers).contains("\r\nContent-Length: 11\r\n").endsWith("\r\n\r\n");
    assertThat(answers).doesNotContain("/one", "/two");
  }
}
