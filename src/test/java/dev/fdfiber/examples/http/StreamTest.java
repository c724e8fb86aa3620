package dev.fdfiber.examples.http;

import static dev.fdfiber.examples.http.Served.get;
import static dev.fdfiber.examples.http.Served.statuses;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Uncaught;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Answers of a length that nobody knows before, and clients that leave in the middle of one. */
@FdTest
class StreamTest {
  private static final Response STREAM =
      Response.stream(
          "text/plain",
          out -> {
            out.write("one");
            out.write("");
            out.pause(Duration.ofMillis(1));
            out.write("two\u00e9");
          });

  @Test
  void http11_getsChunks_andTheConnectionGoesOn(Scheduler scheduler) throws Exception {
    Served served = new Served(scheduler, request -> STREAM);
    String answers = served.sayAndWait(get("/") + get("/", "Connection: close"));

    assertThat(statuses(answers)).containsExactly("200", "200");
    assertThat(answers)
        .contains(
            "\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n5\r\ntwo\u00c3\u00a9\r\n0\r\n\r\nHTTP")
        .doesNotContain("Content-Length")
        .endsWith("0\r\n\r\n");
  }

  @Test
  void http10_getsItPlain_untilTheConnectionEnds(Scheduler scheduler) throws Exception {
    Served served = new Served(scheduler, request -> STREAM);
    String answer = served.sayAndWait("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

    assertThat(answer)
        .contains("\r\nConnection: close\r\n")
        .doesNotContain("chunked")
        .endsWith("\r\n\r\nonetwo\u00c3\u00a9");
  }

  @Test
  void headRequest_getsNoChunk_notEvenTheLast(Scheduler scheduler) throws Exception {
    Served served = new Served(scheduler, request -> STREAM);
    assertThat(served.say("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"))
        .contains("chunked")
        .endsWith("\r\n\r\n")
        .doesNotContain("0\r\n\r\n");
  }

  @Test
  void writerThatFails_breaksTheBodyOff_soThatTheClientCanTell(
      Scheduler scheduler, Uncaught uncaught) throws Exception {
    Response failing =
        Response.stream(
            "text/plain",
            out -> {
              out.write("some");
              throw new IllegalStateException("on purpose");
            });
    Served served = new Served(scheduler, request -> failing);
    assertThat(served.sayAndWait(get("/"))).endsWith("\r\n\r\n4\r\nsome\r\n");
    assertThat(uncaught.all()).singleElement().isInstanceOf(IllegalStateException.class);
  }

  @Test
  void writer_isNotAheadOfASlowReader(Scheduler scheduler) throws Exception {
    long[] written = new long[1];
    Response endless =
        Response.stream(
            "text/plain",
            out -> {
              while (true) {
                out.write(new byte[10_000]);
                written[0] += 10_000;
              }
            });
    Served served = new Served(scheduler, request -> endless);
    served.with(fd -> {
      Sock.writeStr(fd, get("/"));
      Fds.awaitIdle(scheduler);
      assertThat(written[0]).isBetween(10_000L, 4_000_000L);
      long before = written[0];
      Fds.awaitIdle(scheduler);
      assertThat(written[0]).isEqualTo(before);
    });
    assertThat(scheduler.aliveCount()).isZero();
  }

  @Test
  void serverThatStops_letsTheWriterEndTheBody(Scheduler scheduler) throws Exception {
    Response endless =
        Response.stream(
            "text/plain",
            out -> {
              out.write("a");
              while (out.pause(Duration.ofMillis(1))) {
                out.write("b");
              }
              out.write("c");
            });
    Served served = new Served(scheduler, request -> endless);
    served.with(fd -> {
      Sock.writeStr(fd, get("/"));
      Sock.recvSome(fd, 0);
      served.isStopping = true;
      assertThat(Served.text(Sock.recvAll(fd, 0))).endsWith("1\r\nc\r\n0\r\n\r\n");
    });
  }

  // ---- clients that leave

  @Test
  void clientThatLeaves_endsAWrite(Scheduler scheduler) throws Exception {
    List<Exception> signals = new ArrayList<>();
    Response endless =
        Response.stream(
            "text/plain",
            out -> {
              try {
                while (true) {
                  out.write(new byte[10_000]);
                }
              } catch (ClientGoneException e) {
                signals.add(e);
                throw e;
              }
            });
    Served served = new Served(scheduler, request -> endless);
    served.with(fd -> {
      Sock.writeStr(fd, get("/"));
      Sock.recvSome(fd, 1000);
    });
    assertThat(signals).hasSize(1);
  }

  @Test
  void clientThatLeaves_endsAPauseAtOnce(Scheduler scheduler) throws Exception {
    List<Exception> signals = new ArrayList<>();
    Response quiet =
        Response.stream(
            "text/plain",
            out -> {
              try {
                out.pause(Duration.ofHours(1));
              } catch (ClientGoneException e) {
                signals.add(e);
                throw e;
              }
            });
    Served served = new Served(scheduler, request -> quiet);
    served.with(fd -> {
      Sock.writeStr(fd, get("/"));
      assertThat(Served.text(Sock.recvSome(fd, 0))).endsWith("\r\n\r\n");
    });
    assertThat(signals).hasSize(1);
  }

  @Test
  void whatTheClientSendsDuringAStream_doesNotEndIt_andIsServedNext(Scheduler scheduler)
      throws Exception {
    Served served = new Served(scheduler, request -> STREAM);
    String answers = served.sayAndWait(get("/").repeat(50) + get("/", "Connection: close"));
    assertThat(statuses(answers)).hasSize(51);
  }

  @Test
  void clientThatLeaves_beforeALargeAnswer_isNothingToReport(Scheduler scheduler) throws Exception {
    byte[] large = new byte[5_000_000];
    Served served = new Served(scheduler, r -> Response.of(200, "application/octet-stream", large));
    served.with(fd -> Sock.writeStr(fd, get("/")));
    served.with(fd -> {
      Sock.writeStr(fd, get("/"));
      Sock.recvSome(fd, 100_000);
    });
  }
}
