package dev.fdfiber.examples.http;

import static dev.fdfiber.examples.http.Served.get;
import static dev.fdfiber.examples.http.Served.statuses;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files below a directory, and nothing else. */
@FdTest
class StaticFilesTest {
  @TempDir Path directory;
  private Served served;

  @BeforeEach
  void open(Scheduler scheduler) throws Exception {
    Path root = Files.createDirectory(directory.resolve("root"));
    Files.writeString(directory.resolve("secret"), "secret");
    Files.writeString(root.resolve("a b+c.txt"), "spaces");
    Files.writeString(root.resolve(".hidden"), "secret");
    Files.writeString(root.resolve("empty.css"), "");
    Files.createDirectories(root.resolve("sub/without"));
    Files.writeString(root.resolve("sub/index.html"), "<p>index");
    Files.createSymbolicLink(root.resolve("link"), directory.resolve("secret"));
    Files.createSymbolicLink(root.resolve("inside"), root.resolve("empty.css"));
    Files.createSymbolicLink(root.resolve("up"), directory);
    Files.createSymbolicLink(root.resolve("sub/without/index.html"), directory.resolve("secret"));
    served = new Served(scheduler, new StaticFiles("/files/", root));
  }

  @Test
  void file_isSentWhole_withItsTypeAndDate_andTheConnectionGoesOn() throws Exception {
    byte[] data = new byte[3_000_000];
    new Random(1).nextBytes(data);
    Path file = Files.write(directory.resolve("root/big.png"), data);

    String answers = served.say(get("/files/big.png") + get("/files/a%20b+c.txt"));

    String date = Sock.httpDate(Sock.fileMtime(file));
    assertThat(answers.substring(0, 300))
        .startsWith("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n")
        .contains("\r\nContent-Length: 3000000\r\n", "\r\nLast-Modified: " + date + "\r\n")
        .contains("\r\nX-Content-Type-Options: nosniff\r\n");
    assertThat(answers.contains("\r\n\r\n" + Served.text(data) + "HTTP/1.1 200 OK")).isTrue();
    assertThat(answers).endsWith("\r\n\r\nspaces");
  }

  @Test
  void directory_isItsIndex_andHasASlash() throws Exception {
    assertThat(served.say(get("/files/sub/"))).contains("text/html").endsWith("<p>index");
    assertThat(served.say(get("/files/sub")))
        .startsWith("HTTP/1.1 301 Moved Permanently\r\n")
        .contains("\r\nLocation: /files/sub/\r\n", "\r\nContent-Length: 0\r\n");
    assertThat(statuses(served.say(get("/files/")))).as("no index there").containsExactly("404");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/files/nothing",
        "/files/../secret",
        "/files/sub/../../secret",
        "/files/%2e%2e/secret",
        "/files/.%2e/secret",
        "/files/..%2fsecret",
        "/files/%2e%2e%2fsecret",
        "/files/..%5csecret",
        "/files/%252e%252e/secret",
        "/files/./empty.css",
        "/files/.hidden",
        "/files//empty.css",
        "/files//",
        "/files/sub//index.html",
        "/files/empty.css/",
        "/files/empty.css/x",
        "/files/empty.css%00",
        "/files/empty.css%00.png",
        "/files/link",
        "/files/inside",
        "/files/up/secret",
        "/files/up/root/empty.css",
        "/files/sub/without/",
        "/files//etc/passwd",
        "/files/%2fetc%2fpasswd",
      })
  void pathsThatLeadNowhere_are404(String path) throws Exception {
    String answer = served.say(get(path));
    assertThat(statuses(answer)).containsExactly("404");
    assertThat(answer).doesNotContain("secret", "root:");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/files/%", "/files/%4", "/files/%zz", "/files/%ff", "/files/%c0%ae"})
  void paths_thatAreNotEncodedUtf8_are400(String path) throws Exception {
    assertThat(statuses(served.say(get(path)))).containsExactly("400");
  }

  @Test
  void fifo_isNotWaitedFor() throws Exception {
    Path fifo = directory.resolve("root/fifo");
    assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();

    assertThat(statuses(served.say(get("/files/fifo")))).containsExactly("404");
  }

  @Test
  void unchangedFile_isA304_withoutABody() throws Exception {
    String date = Sock.httpDate(Sock.fileMtime(directory.resolve("root/a b+c.txt")));
    String since = "If-Modified-Since: " + date;
    String path = "/files/a%20b+c.txt";

    assertThat(served.say(get(path, since)))
        .startsWith("HTTP/1.1 304 Not Modified\r\n")
        .endsWith("\r\n\r\n")
        .doesNotContain("Content-Length");
    String old = "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT";
    assertThat(statuses(served.say(get(path, old) + get(path, "If-Modified-Since: yesterday"))))
        .containsExactly("200", "200");
  }

  @Test
  void headRequest_tellsTheLength() throws Exception {
    assertThat(served.say(get("/files/a%20b+c.txt").replace("GET", "HEAD")))
        .contains("\r\nContent-Length: 6\r\n")
        .endsWith("\r\n\r\n");
  }

  @Test
  void missingDirectory_isAnError() {
    assertThatIOException().isThrownBy(() -> new StaticFiles("/", directory.resolve("nothing")));
    assertThatIOException().isThrownBy(() -> new StaticFiles("/", directory.resolve("secret")));
  }
}
