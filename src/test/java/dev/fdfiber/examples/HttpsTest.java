package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Tools;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.TestCa;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/** Defect 21: TLS as curl and openssl see it, with a certificate of a test authority. */
@FdTest
@Tag("slow")
class HttpsTest {
  @TempDir Path directory;
  private TestCa ca;
  private ChildWorker child;
  private int port;

  @BeforeEach
  void start(TestInfo test) throws Exception {
    Tools.require("openssl");
    ca = new TestCa(directory);
    boolean isAboutTheLimit = test.getTags().contains("limit");
    // A process that has just begun may take its time for a handshake.
    String headSeconds = isAboutTheLimit ? "5" : "60";
    TestCa.Identity localhost = ca.localhost();
    child = // a process, as who serves TLS is the process's
        new ChildWorker(
            directory,
            "--port",
            "0",
            "--files",
            directory.toString(),
            "--tls-cert",
            localhost.certificate().toString(),
            "--tls-key",
            localhost.key().toString(),
            "--head-seconds",
            headSeconds);
    port = child.port();
  }

  @AfterEach
  void stop() throws Exception {
    child.process.destroy();
    assertThat(child.status(60)).isZero();
    assertThat(child.errors()).isEmpty();
    child.close();
  }

  private List<String> curl(String target, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("--cacert", ca.pem().toString()));
    all.addAll(List.of(words));
    all.add("https://localhost:" + port + target);
    return Curl.lines(all.toArray(String[]::new));
  }

  @Test
  void curl_isServed_thePagesToo() throws Exception {
    assertThat(curl("/hello")).containsExactly("hello");
    assertThat(curl("/")).contains("<h1>One thread, three things at once</h1>");
    assertThat(curl("/poll?ms=10")).as("by its own upstream").containsExactly("news after 10 ms");
    assertThat(curl("/upstream?ms=0&n=[1-20]")).hasSize(20).containsOnly("news after 0 ms");
    assertThat(curl("/events?ms=10&count=3", "-N"))
        .filteredOn(line -> line.startsWith("id: "))
        .containsExactly("id: 1", "id: 2", "id: 3");
  }

  @Test
  void pageOfTheFibers_speaksTlsToo() throws Exception {
    assertThat(curl("/fibers/dump", "-L")).contains("fibers:").anyMatch(l -> l.contains("accept"));
  }

  @Test
  void hundredMegabytes_upAndDown_hashTheSame() throws Exception {
    Path file = directory.resolve("up.bin");
    String hash = Checksums.write(file, 100);
    Path down = directory.resolve("down.bin");

    assertThat(curl("/digest", "-T", file.toString()))
        .containsExactly("{\"bytes\":100000000,\"sha256\":\"" + hash + "\"}");
    curl("/files/up.bin", "-o", down.toString());
    assertThat(Checksums.of(down)).isEqualTo(hash);
  }

  @Test
  void openssl_seesTheChain_andPipelinedRequestsAreAnswered() throws Exception {
    Process openssl =
        new ProcessBuilder(
                Tools.require("openssl").toString(),
                "s_client",
                "-connect",
                "localhost:" + port,
                "-CAfile",
                ca.pem().toString(),
                "-verify_return_error",
                "-ign_eof")
            .redirectErrorStream(true)
            .start();
    try (OutputStream in = openssl.getOutputStream()) {
      String hello = "GET /hello HTTP/1.1\r\nHost: x\r\n";
      in.write(
          (hello + "\r\n" + hello + "Connection: close\r\n\r\n")
              .getBytes(StandardCharsets.US_ASCII));
      in.flush();
      String seen = new String(openssl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

      assertThat(seen).contains("Verify return code: 0 (ok)");
      assertThat(seen.split("\nhello\n", -1)).hasSize(3);
      assertThat(openssl.waitFor()).isZero();
    }
  }

  @Test
  void plainClient_isSentAway_andTheOthersGoOn() throws Exception {
    String answer = Serving.send(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");

    assertThat(answer).doesNotContain("HTTP");
    assertThat(curl("/hello")).containsExactly("hello");
  }

  @Test
  @Tag("limit")
  void handshake_andHead_thatDoNotCome_endInTime() throws Exception {
    assertThat(Serving.send(port, "\u0016\u0003")).doesNotContain("HTTP");
    try (Socket socket = ca.context().getSocketFactory().createSocket("localhost", port)) {
      socket.getOutputStream().write("GET / HT".getBytes(StandardCharsets.US_ASCII));
      socket.getOutputStream().flush();
      byte[] answer = socket.getInputStream().readAllBytes();
      assertThat(new String(answer, StandardCharsets.UTF_8)).startsWith("HTTP/1.1 408 ");
    }
  }
}
