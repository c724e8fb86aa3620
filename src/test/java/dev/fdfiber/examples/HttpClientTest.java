package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.testing.FdTest;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The worker as Java's own HTTP client sees it. */
@FdTest
class HttpClientTest {
  private HttpClient client;
  private Serving serving;

  @BeforeAll
  static void openWhatTheJdkKeeps() throws Exception {
    SocketChannel.open().close(); // a socket pair, for closing others
  }

  @BeforeEach
  void open() throws Exception {
    client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(20)).build();
    serving = Serving.start();
  }

  @AfterEach
  void close() {
    client.shutdownNow();
    client.close();
    serving.close();
  }

  private HttpRequest.Builder to(String target) {
    return HttpRequest.newBuilder(URI.create(serving.url(target)))
        .version(HttpClient.Version.HTTP_1_1)
        .timeout(Duration.ofSeconds(60));
  }

  @Test
  void get_head_andWhatIsNotThere() throws Exception {
    HttpResponse<String> hello = client.send(to("/hello").build(), BodyHandlers.ofString());
    assertThat(hello.statusCode()).isEqualTo(200);
    assertThat(hello.body()).isEqualTo("hello\n");
    assertThat(hello.headers().firstValue("Date")).isPresent();

    HttpResponse<String> head = client.send(to("/hello").HEAD().build(), BodyHandlers.ofString());
    assertThat(head.headers().firstValueAsLong("Content-Length")).hasValue(6);
    assertThat(head.body()).isEmpty();

    HttpResponse<String> none = client.send(to("/nope").build(), BodyHandlers.ofString());
    assertThat(none.statusCode()).isEqualTo(404);
  }

  @Test
  void offerOfHttp2_isIgnored() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(serving.url("/hello")))
            .version(HttpClient.Version.HTTP_2) // Upgrade: h2c
            .timeout(Duration.ofSeconds(60))
            .build();
    assertThat(client.send(request, BodyHandlers.ofString()).body()).isEqualTo("hello\n");
  }

  @Test
  void upload_withALengthAndWithout_andWithAnExpectation() throws Exception {
    byte[] data = new byte[1_000_000];
    new Random(7).nextBytes(data);
    List<HttpRequest> uploads =
        List.of(
            to("/digest").POST(BodyPublishers.ofByteArray(data)).build(),
            to("/digest")
                .PUT(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(data)))
                .build(),
            to("/digest").expectContinue(true).POST(BodyPublishers.ofByteArray(data)).build());
    for (HttpRequest upload : uploads) {
      assertThat(client.send(upload, BodyHandlers.ofString()).body())
          .contains("\"bytes\":1000000,", Checksums.of(data));
    }
  }

  @Test
  void hundredAtOnce_areAnswered() throws Exception {
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      answers.add(client.sendAsync(to("/upstream?ms=" + i).build(), BodyHandlers.ofString()));
    }
    for (int i = 0; i < 100; i++) {
      assertThat(answers.get(i).join().body()).isEqualTo("news after " + i + " ms\n");
    }
  }

  @Test
  void stream_isReadLineByLine() throws Exception {
    HttpRequest request = to("/events?ms=10&count=3").header("Last-Event-ID", "41").build();
    assertThat(client.send(request, BodyHandlers.ofLines()).body())
        .filteredOn(line -> line.startsWith("id: "))
        .containsExactly("id: 42", "id: 43", "id: 44");
  }
}
