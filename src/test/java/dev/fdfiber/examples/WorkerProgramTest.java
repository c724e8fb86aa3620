package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The worker as a process: what it prints, and how it ends. */
@FdTest
@Tag("slow")
class WorkerProgramTest {
  /** A grace period that no test waits for: who ends before it did not need it. */
  private static final String[] PATIENT = {"--port", "0", "--grace-seconds", "1000"};

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"TERM, 100", "INT, 1000"})
  void signal_endsItAtOnce_withAStreamAndParkedConnections(String signal, int count)
      throws Exception {
    List<Integer> fds = new ArrayList<>();
    try (ChildWorker child = new ChildWorker(directory, PATIENT)) {
      int port = child.port();
      for (int i = 0; i < count; i++) {
        fds.add(Sock.connect("127.0.0.1", port));
      }
      int stream = Sock.connect("127.0.0.1", port);
      fds.add(stream);
      Sock.writeStr(stream, "GET /events HTTP/1.1\r\nHost: test\r\n\r\n");
      assertThat(text(Sock.recvSome(stream, 0))).startsWith("HTTP/1.1 200 OK\r\n");

      kill(signal, child);

      assertThat(child.status(60)).isZero();
      assertThat(child.errors()).isEmpty();
      assertThat(text(Sock.recvAll(stream, 0))).doesNotContain("HTTP");
    } finally {
      Serving.close(fds);
    }
  }

  @Test
  void signal_endsABatchBetweenItsSteps() throws Exception {
    try (ChildWorker child = new ChildWorker(directory, PATIENT)) {
      int port = child.port();
      int batch = Sock.connect("127.0.0.1", port);
      Sock.writeStr(batch, "POST /batch?steps=2000 HTTP/1.1\r\nHost: test\r\n\r\n");
      String fibers = "";
      while (!fibers.contains("BLOCKED")) { // its first steps may hold the driver for long
        fibers = Serving.fibers(port, "/fibers/dump", "localhost");
      }

      kill("TERM", child);

      assertThat(child.status(60)).isZero();
      assertThat(child.errors()).isEmpty();
      assertThat(text(Sock.recvAll(batch, 0)))
          .containsPattern("\"steps\":\\d")
          .doesNotContain("\"steps\":2000");
      Sock.close(batch);
    }
  }

  @Test
  void port_taken_saysWhichAndWhatToDo() throws Exception {
    int listener = Sock.listen(0, false);
    int port = Sock.localPort(listener);
    try (ChildWorker child = new ChildWorker(directory, "--port", "" + port)) {
      assertThat(child.status(20)).isEqualTo(1);
      assertThat(child.output()).isEmpty();
      assertThat(child.errors())
          .isEqualTo(
              "fdfiber worker: port %d is taken; give another with --port, or --port 0 for any free"
                      .formatted(port)
                  + " one\n");
    } finally {
      Sock.close(listener);
    }
  }

  @Test
  void fibersPort_taken_saysWhich() throws Exception {
    int listener = Sock.listen(0, false);
    String port = "" + Sock.localPort(listener);
    try (ChildWorker child = new ChildWorker(directory, "--port", "0", "--inspect-port", port)) {
      assertThat(child.status(20)).isEqualTo(1);
      assertThat(child.errors())
          .startsWith("fdfiber worker: cannot start: --inspect-port " + port + ": ")
          .contains("EADDRINUSE");
    } finally {
      Sock.close(listener);
    }
  }

  @Test
  void fibers_whereOthersReachIt_areShownToWhoHasTheToken() throws Exception {
    String token = "0123456789abcdef";
    try (ChildWorker child =
        new ChildWorker(directory, "--port", "0", "--host", "0.0.0.0", "--inspect-token", token)) {
      int port = child.port();
      String host = "any.example"; // a name of the server's that others know
      assertThat(Serving.fibers(port, "/fibers", host)).startsWith("HTTP/1.1 403 ");
      assertThat(Serving.fibers(port, "/fibers?token=0123456789abcdeF", host))
          .startsWith("HTTP/1.1 403 ");
      assertThat(Serving.fibers(port, "/fibers/dump?token=" + token, host))
          .startsWith("HTTP/1.1 200 ")
          .contains("worker-1 accept");
      kill("TERM", child);
      assertThat(child.status(60)).isZero();
      assertThat(child.output()).contains("its fibers: http://0.0.0.0:").doesNotContain(token);
    }
  }

  @Test
  void fibers_whereOthersReachIt_withoutAToken_areShownToNobody() throws Exception {
    try (ChildWorker child = new ChildWorker(directory, "--port", "0", "--host", "0.0.0.0")) {
      int port = child.port();
      assertThat(Serving.send(port, "GET /fibers HTTP/1.0\r\n\r\n"))
          .startsWith("HTTP/1.1 403 ")
          .contains("start it with --inspect-token");
      kill("TERM", child);
      assertThat(child.status(60)).isZero();
      assertThat(child.output()).doesNotContain("its fibers");
    }
  }

  @Test
  void option_wrong_isALineAndStatus2() throws Exception {
    try (ChildWorker child = new ChildWorker(directory, "--port", "bad")) {
      assertThat(child.status(20)).isEqualTo(2);
      assertThat(child.output()).isEmpty();
      assertThat(child.errors())
          .isEqualTo("fdfiber worker: --port: bad will not do; give a number from 0 to 65535\n");
    }
  }

  @Test
  void help_tellsTheOptions() throws Exception {
    try (ChildWorker child = new ChildWorker(directory, "--help")) {
      assertThat(child.status(20)).isZero();
      assertThat(child.output()).contains("--port N", "--upstream HOST:PORT", "--idle-seconds");
      assertThat(child.errors()).isEmpty();
    }
  }

  private static void kill(String signal, ChildWorker child) throws Exception {
    String pid = Long.toString(child.process.pid());
    Process kill = new ProcessBuilder("kill", "-" + signal, pid).inheritIO().start();
    assertThat(kill.waitFor()).isZero();
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
