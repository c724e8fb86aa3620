package dev.fdfiber.examples.http;

import static dev.fdfiber.examples.http.Served.get;
import static dev.fdfiber.examples.http.Served.post;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.ForwardingKernel;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;

/** Defect 19: of two pipelined requests the ancestor answered one. And what an answer costs. */
@FdTest
class PipeliningTest {
  private static final Response HELLO = Response.text(200, "hello\n");

  @Test
  void requestsAtOnce_areAnsweredInTheirOrder() throws Exception {
    String requests =
        get("/1") + post("Content-Length: 3\r\n", "two") + get("/3") + post("", "") + get("/5");
    try (Served served = new Served(Served::echo)) {
      String answers = served.say(requests);

      assertThat(answers.replaceAll("(?s)HTTP/1.1 200.*?\r\n\r\n", "|"))
          .isEqualTo("|GET /1  |POST /  two|GET /3  |POST /  |GET /5  ");
    }
  }

  @Test
  void thousand_areAllAnswered() throws Exception {
    try (Served served = new Served(new Instant())) {
      String answers = served.say(get("/").repeat(1000));

      assertThat(Served.statuses(answers)).hasSize(1000).containsOnly("200");
    }
  }

  @Test
  void answer_thatIsThere_doesNotWaitForTheNextHandler() throws Exception {
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
    try (Served served = new Served(routes)) {
      served.with(fd -> {
        Sock.writeStr(fd, get("/now") + get("/later"));
        assertThat(Served.text(Sock.recvSome(fd, 0))).endsWith("hello\n");
        asked.release();
        assertThat(Served.text(Sock.recvSome(fd, 0))).endsWith("hello\n");
      });
    }
  }

  // ---- system calls

  @Test
  void request_isOneReadAndOneWrite() throws Exception {
    Counting kernel = new Counting();
    try (Served served = new Served(new Instant(), Limits.defaults(), kernel)) {
      served.with(fd -> {
        for (int i = 0; i < 100; i++) {
          Sock.writeStr(fd, get("/"));
          Sock.recvSome(fd, 0);
        }
        assertThat(kernel.sends).as("of both ends").isEqualTo(200);
        assertThat(kernel.receives - kernel.emptyReceives).isEqualTo(200);
        assertThat(kernel.emptyReceives).as("by the client alone").isEqualTo(100);
      });
    }
  }

  @Test
  void answersToPipelinedRequests_areOneWrite() throws Exception {
    Counting kernel = new Counting();
    try (Served served = new Served(new Instant(), Limits.defaults(), kernel)) {
      served.say(get("/").repeat(20));
      assertThat(kernel.sends).as("of both ends").isEqualTo(2);
    }
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

  private static final class Counting extends ForwardingKernel {
    int sends;
    int receives;
    int emptyReceives;

    Counting() {
      super(Kernel.system());
    }

    @Override
    public long send(int fd, MemorySegment buffer, long count, int flags) {
      sends++;
      return super.send(fd, buffer, count, flags);
    }

    @Override
    public long recv(int fd, MemorySegment buffer, long count, int flags) {
      long n = super.recv(fd, buffer, count, flags);
      receives++;
      emptyReceives += n < 0 ? 1 : 0;
      return n;
    }
  }
}
