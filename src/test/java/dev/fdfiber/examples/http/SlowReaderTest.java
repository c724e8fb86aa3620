package dev.fdfiber.examples.http;

import static dev.fdfiber.examples.http.Served.get;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Place;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Defect 16: of an 8 MB answer the ancestor sent what the socket's buffer took. */
@FdTest
class SlowReaderTest {
  private static final int LENGTH = 8_000_000;

  @Test
  void answerOf8Megabytes_overTcp_toASlowReader_isWhole_andTheConnectionGoesOn(Scheduler scheduler)
      throws Exception {
    byte[] data = new byte[LENGTH];
    new Random(16).nextBytes(data);
    Response answer = Response.of(200, "application/octet-stream", data);
    HttpService service = new HttpService(request -> answer, Limits.defaults());
    byte[] got = new byte[LENGTH];
    int listener = Sock.listen(0, false);
    int port = Sock.localPort(listener);
    Fiber server =
        scheduler.spawn(
            "server",
            () -> {
              int fd = Sock.accept(listener);
              service.serve(new Alone(fd, () -> false));
              Sock.close(fd);
            });
    Fiber client =
        scheduler.spawn(
            "client",
            () -> {
              int fd = Sock.connect("127.0.0.1", port);
              for (int round = 0; round < 2; round++) {
                Sock.writeStr(fd, get("/"));
                Arrays.fill(got, (byte) 0);
                read(fd, got);
                assertThat(Arrays.equals(got, data)).isTrue();
              }
              Sock.close(fd);
            });
    scheduler.run();
    Sock.close(listener);
    Place.rethrow(client);
    Place.rethrow(server);
  }

  /** Reads an answer, a little at a time, and looks on between two reads. */
  private static void read(int fd, byte[] into) throws Exception {
    String head = "";
    while (!head.endsWith("\r\n\r\n")) {
      head += Served.text(Sock.recvSome(fd, 1));
    }
    assertThat(head).contains("\r\nContent-Length: " + LENGTH + "\r\n");
    for (int at = 0; at < LENGTH; ) {
      byte[] some = Sock.recvSome(fd, Math.min(50_000, LENGTH - at));
      System.arraycopy(some, 0, into, at, some.length);
      at += some.length;
      Scheduler.pause(at % 7 == 0 ? 0.001 : 0);
    }
  }
}
