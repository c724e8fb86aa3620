package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The worker under JDK Flight Recorder, switched on as its users do, on the command line. */
@FdTest
@Tag("slow")
class RecordedWorkerTest {
  @TempDir Path directory;

  @Test
  void jfrPrint_showsWhatItsFibersDid() throws Exception {
    Path file = directory.resolve("worker.jfr");
    // The recorder would print lines before the worker's.
    List<String> flags =
        List.of("-XX:StartFlightRecording:filename=" + file, "-Xlog:jfr+startup=off");
    try (ChildWorker child = new ChildWorker(directory, flags, "--port", "0")) {
      int port = child.port();
      int stream = Sock.connect("127.0.0.1", port);
      Sock.writeStr(stream, "GET /events?ms=50 HTTP/1.1\r\nHost: test\r\n\r\n");
      StringBuilder events = new StringBuilder();
      while (events.indexOf("id: 3") < 0) {
        events.append(new String(Sock.recvSome(stream, 0), StandardCharsets.UTF_8));
      }
      child.process.destroy();
      assertThat(child.status(30)).isZero();
      Sock.close(stream);
    }
    String printed = jfrPrint(file);
    assertThat(printed)
        .contains("dev.fdfiber.FiberPark {", "dev.fdfiber.Pass {")
        .contains("reason = \"WAITING_IO\"", "mode = \"READ\"")
        .doesNotContain("dev.fdfiber.FiberSpawn");
  }

  /** Those that are shown for a running program. */
  @Test
  void commandsOfTheDocs_doWhatTheySay() throws Exception {
    List<String> commands =
        Files.readAllLines(Path.of("docs/inspect.md")).stream()
            .filter(line -> line.matches("    (jcmd PID|jfr) .*"))
            .toList();
    assertThat(commands).hasSize(4);
    try (ChildWorker child = new ChildWorker(directory, "--port", "0")) {
      int port = child.port();
      String printed = "";
      for (String command : commands) {
        String here = command.replace("/tmp/", directory + "/");
        printed += shell(here.replace("PID", "" + child.process.pid()));
        assertThat(Serving.send(port, "GET /upstream?ms=50 HTTP/1.0\r\n\r\n")).contains("news");
      }
      assertThat(printed)
          .contains("Started recording 1.", "Started recording 2.")
          .contains("dev.fdfiber.FiberPark {");
      child.process.destroy();
      assertThat(child.status(30)).isZero();
      assertThat(child.errors()).isEmpty();
    }
  }

  private String shell(String command) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder("sh", "-c", command)
            .directory(directory.toFile())
            .redirectErrorStream(true);
    builder
        .environment()
        .merge("PATH", System.getProperty("java.home") + "/bin", (a, b) -> b + ":" + a);
    Process shell = builder.start();
    String printed = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(shell.waitFor()).as("%s: %s", command, printed).isZero();
    return printed;
  }

  private String jfrPrint(Path file) throws Exception {
    Path tool = Path.of(System.getProperty("java.home"), "bin", "jfr");
    Process jfr =
        new ProcessBuilder(tool.toString(), "print", "--events", "dev.fdfiber.*", file.toString())
            .redirectErrorStream(true)
            .start();
    String printed = new String(jfr.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(jfr.waitFor()).as(printed).isZero();
    return printed;
  }
}
