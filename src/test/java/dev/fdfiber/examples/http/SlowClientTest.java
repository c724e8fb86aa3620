package dev.fdfiber.examples.http;

import static dev.fdfiber.examples.http.Served.get;
import static dev.fdfiber.examples.http.Served.post;
import static dev.fdfiber.examples.http.Served.statuses;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Defect 20: slow heads held a fiber for 30 s. Each limit is on the whole, not on each wait. */
@FdTest
class SlowClientTest {

  @Test
  void limitOfAHead_is10SecondsByDefault() {
    assertThat(Limits.defaults().head()).isEqualTo(Duration.ofSeconds(10));
  }

  @Test
  void head_thatDoesNotCome_is408(Scheduler scheduler) throws Exception {
    Served served = new Served(scheduler, Served::echo, Served.hasty());
    assertThat(statuses(served.sayAndWait("GET / HTTP/1.1\r\nHo"))).containsExactly("408");
    assertThat(statuses(served.sayAndWait(get("/") + "G"))).containsExactly("200", "408");
  }

  @Test
  void head_thatTricklesIn_is408_thoughEachByteCameInTime(Scheduler scheduler) throws Exception {
    Served served = new Served(scheduler, Served::echo, Served.hasty());
    assertThat(trickle(served, get("/", "X: " + "y".repeat(2000)))).containsExactly("408");
  }

  @Test
  void body_thatTricklesIn_is408_thoughEachByteCameInTime(Scheduler scheduler) throws Exception {
    Served served = new Served(scheduler, Served::echo, Served.hasty());
    String sized = post("Content-Length: 2000\r\n", "y".repeat(2000));
    assertThat(trickle(served, sized)).containsExactly("408");
    String chunked = post("Transfer-Encoding: chunked\r\n", "1\r\ny\r\n".repeat(2000));
    assertThat(trickle(served, chunked)).containsExactly("408");
  }

  /** Sends a byte now and then until there is an answer. */
  private static List<String> trickle(Served served, String bytes) throws Exception {
    StringBuilder answer = new StringBuilder();
    served.with(fd -> {
      int headEnd = bytes.indexOf("\r\n\r\n") + 4;
      int at = bytes.startsWith("POST") ? headEnd : 1;
      Sock.writeStr(fd, bytes.substring(0, at));
      while (Scheduler.ioWait(fd, Scheduler.READ, 0.002) == 0) {
        Sock.writeStr(fd, bytes.substring(at, ++at));
      }
      Sock.shutdownWrite(fd);
      answer.append(Served.text(Sock.recvAll(fd, 0)));
    });
    return statuses(answer.toString());
  }

  @Test
  void body_thatComesSlowlyButSurely_isServed(Scheduler scheduler) throws Exception {
    Limits defaults = Limits.defaults();
    Limits limits =
        new Limits(
            defaults.headBytes(),
            defaults.targetBytes(),
            defaults.fields(),
            defaults.bodyBytes(),
            50, // bytes a second
            defaults.idle(),
            defaults.head(),
            Duration.ofSeconds(10));
    Served served = new Served(scheduler, Served::echo, limits);
    served.with(fd -> {
      Sock.writeStr(fd, post("Content-Length: 100\r\n", ""));
      for (int i = 0; i < 100; i++) {
        Sock.writeStr(fd, "y");
        Scheduler.pause(0.002);
      }
      assertThat(Served.text(Sock.recvSome(fd, 0))).endsWith("y".repeat(100));
    });
  }

  @Test
  void silence_endsTheConnection_withoutAWord(Scheduler scheduler) throws Exception {
    Served served = new Served(scheduler, Served::echo, Served.hasty());
    assertThat(served.sayAndWait("")).isEmpty();
    assertThat(statuses(served.sayAndWait(get("/")))).containsExactly("200");
  }
}
