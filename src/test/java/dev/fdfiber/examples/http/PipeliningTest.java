package dev.fdfiber.examples.http;

import static dev.fdfiber.examples.http.Served.get;
import static dev.fdfiber.examples.http.Served.post;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Trace;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;

/** Defect 19: of two pipelined requests the ancestor answered one. And what an answer costs. */
@FdTest
class PipeliningTest {
  private static final Response HELLO = Response.text(200, "hello\n");

  @Test
  void requestsAtOnce_areAnsweredInTheirOrder(Scheduler scheduler) throws Exception {
    String requests =
        get("/1") + post("Content-Length: 3\r\n", "two") + get("/3") + post("", "") + get("/5");
    Served served = new Served(scheduler, Served::echo);
    String answers = served.say(requests);

    assertThat(answers.replaceAll("(?s)HTTP/1.1 200.*?\r\n\r\n", "|"))
        .isEqualTo("|GET /1  |POST /  two|GET /3  |POST /  |GET /5  ");
  }

  @Test
  void thousand_areAllAnswered(Scheduler scheduler) throws Exception {
    Served served = new Served(scheduler, new Instant());
    String answers = served.say(get("/").repeat(1000));

    assertThat(Served.statuses(answers)).hasSize(1000).containsOnly("200");
  }

  @Test
  void answer_thatIsThere_doesNotWaitForTheNextHandler(Scheduler scheduler) throws Exception {
    Routes routes = new Routes();
    routes.add("/now", HELLO);
    Semaphore asked = new Semaphore(0);
    routes.add(
        "/later",
        Set.of("GET"),
        request -> {
          asked.acquire();
          return HELLO;
        });
    Served served = new Served(scheduler, routes);
    served.with(fd -> {
      Sock.writeStr(fd, get("/now") + get("/later"));
      assertThat(Served.text(Sock.recvSome(fd, 0))).endsWith("hello\n");
      asked.release();
      assertThat(Served.text(Sock.recvSome(fd, 0))).endsWith("hello\n");
    });
  }

  // ---- system calls

  @Test
  void request_isOneReadAndOneWrite(Scheduler scheduler, Trace trace) throws Exception {
    Served served = new Served(scheduler, new Instant());
    served.with(fd -> {
      for (int i = 0; i < 100; i++) {
        Sock.writeStr(fd, get("/"));
        Sock.recvSome(fd, 0);
      }
      assertThat(calls(trace, "server send\\(.*")).isEqualTo(100);
      assertThat(calls(trace, "client send\\(.*")).isEqualTo(100);
      assertThat(calls(trace, "\\w+ recv\\(.* = \\d+")).as("of both ends").isEqualTo(200);
      assertThat(calls(trace, "client recv\\(.* = EAGAIN")).isEqualTo(100);
      assertThat(calls(trace, "server recv\\(.* = EAGAIN")).isZero();
    });
  }

  @Test
  void answersToPipelinedRequests_areOneWrite(Scheduler scheduler, Trace trace) throws Exception {
    new Served(scheduler, new Instant()).say(get("/").repeat(20));
    assertThat(calls(trace, "server send\\(.*")).isOne();
    assertThat(calls(trace, "client send\\(.*")).isOne();
  }

  private static long calls(Trace trace, String call) {
    return trace.lines().stream().filter(line -> line.matches(call)).count();
  }

  private static final class Instant implements Handler {
    @Override
    public Response answer(Request request) {
      return HELLO;
    }

    @Override
    public boolean isInstant(Request request) {
      return true;
    }
  }
}
