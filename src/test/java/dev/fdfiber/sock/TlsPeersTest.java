package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.fdfiber.FiberBody;
import dev.fdfiber.Tools;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Place;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** TLS with those who did not learn it here: openssl, curl, the JDK. */
@FdTest
class TlsPeersTest {
  @TempDir Path directory;

  private int listener;
  private String port;

  @BeforeEach
  void listen() throws Exception {
    TlsPair.ca();
    listener = Sock.listen(0, false);
    port = String.valueOf(Sock.localPort(listener));
  }

  @AfterEach
  void close() throws Exception {
    Sock.close(listener);
  }

  /** A program that runs; closing it ends it. */
  private record Program(Process process, BufferedReader out) implements AutoCloseable {
    static Program start(String... words) throws IOException {
      List<String> command = new ArrayList<>(List.of(words));
      command.set(0, Tools.require(words[0]).toString());
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      return new Program(process, process.inputReader());
    }

    void say(String text) throws IOException {
      OutputStream in = process.getOutputStream();
      in.write(text.getBytes(StandardCharsets.UTF_8));
      in.flush();
    }

    /** The next line that has a text in it. */
    String next(String part) throws IOException {
      List<String> all = new ArrayList<>();
      for (String line; (line = out.readLine()) != null; all.add(line)) {
        if (line.contains(part)) {
          return line;
        }
      }
      throw new AssertionError("no line has " + part + ": " + all);
    }

    @Override
    public void close() throws IOException {
      process.destroyForcibly();
      process.getOutputStream().close();
      out.close();
    }
  }

  static Stream<Arguments> versions() {
    return Stream.of("-tls1_2", "-tls1_3")
        .flatMap(v -> Stream.of(Place.values()).map(place -> Arguments.of(v, place)));
  }

  private Program client(String... more) throws IOException {
    List<String> words = new ArrayList<>(List.of("openssl", "s_client"));
    words.addAll(List.of("-connect", "127.0.0.1:" + port, "-servername", "localhost"));
    words.addAll(List.of("-CAfile", TlsPair.ca().pem().toString(), "-verify_return_error"));
    words.addAll(List.of(more));
    return Program.start(words.toArray(String[]::new));
  }

  /** Reads until a text has come. */
  private static void await(int fd, String text) throws IOException {
    StringBuilder all = new StringBuilder();
    while (all.indexOf(text) < 0) {
      byte[] some = Sock.recvSome(fd, 0);
      assertThat(some).as("after " + all).isNotEmpty();
      all.append(new String(some, StandardCharsets.UTF_8));
    }
  }

  private static void in(Place place, FiberBody body) throws Exception {
    place.run(body);
  }

  // ---- openssl

  @ParameterizedTest
  @MethodSource("versions")
  void opensslClient_talksAndEnds(String version, Place place) throws Exception {
    try (Program client = client(version, "-quiet")) {
      in(
          place,
          () -> {
            int fd = Sock.accept(listener);
            Sock.acceptTls(fd);
            client.say("question\n");
            await(fd, "question\n");
            Sock.writeStr(fd, "answer\n");
            client.next("answer");
            Sock.close(fd); // close_notify: else s_client says "unexpected eof"
          });
      assertThat(client.out.lines()).noneMatch(line -> line.contains("eof"));
      assertThat(client.process.waitFor()).isZero();
    }
  }

  @ParameterizedTest
  @MethodSource("versions")
  void opensslClientThatEnds_isACleanEnd(String version, Place place) throws Exception {
    try (Program client = client(version)) {
      in(
          place,
          () -> {
            int fd = Sock.accept(listener);
            Sock.acceptTls(fd);
            client.say("last words\n");
            await(fd, "last words\n");
            client.say("Q\n"); // a command where it begins what is read
            assertThat(Sock.recvSome(fd, 0)).isEmpty();
            Sock.close(fd);
          });
    }
  }

  @ParameterizedTest
  @MethodSource("versions")
  void opensslServer_isVerifiedAndAnswers(String version, Place place) throws Exception {
    Path ca = TlsPair.ca().pem();
    String own = ca.resolveSibling("localhost.pem").toString();
    String key = ca.resolveSibling("localhost.key").toString();
    String[] words = {
      "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", own, "-key", key, version, "-rev"
    };
    try (Program server = Program.start(words)) {
      String[] accept = server.next("ACCEPT").split(":", -1);
      in(
          place,
          () -> {
            int fd = Sock.connectTls("localhost", Integer.parseInt(accept[accept.length - 1]));
            Sock.writeStr(fd, "stressed\n");
            await(fd, "desserts\n");
            Sock.shutdownWrite(fd);
            Sock.close(fd);
          });
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void keyUpdate_isAnswered(Place place) throws Exception {
    try (Program client = client("-tls1_3", "-msg")) {
      in(
          place,
          () -> {
            int fd = Sock.accept(listener);
            Sock.acceptTls(fd);
            for (String command : new String[] {"K\n", "k\n", "K\n"}) {
              client.say(command); // K: and answer with one of your own
              client.next(">>> TLS 1.3, Handshake [length 0005], KeyUpdate");
              client.say("hello\n");
              await(fd, "hello\n");
              if (command.equals("K\n")) {
                client.next("<<< TLS 1.3, Handshake [length 0005], KeyUpdate");
              }
              Sock.writeStr(fd, "with the new keys\n");
              client.next("with the new keys");
            }
            Sock.close(fd);
          });
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void anotherHandshake_isRefused(Place place) throws Exception {
    try (Program client = client("-tls1_2")) {
      in(
          place,
          () -> {
            int fd = Sock.accept(listener);
            Sock.acceptTls(fd);
            client.say("hello\n");
            await(fd, "hello\n");
            client.say("R\n");
            for (int i = 0; i < 2; i++) {
              assertThatThrownBy(() -> Sock.recvSome(fd, 0))
                  .isInstanceOf(SSLException.class)
                  .hasMessageContaining("another handshake");
            }
            assertThatThrownBy(() -> Sock.writeStr(fd, "x")).isInstanceOf(SSLException.class);
            Sock.close(fd);
          });
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void noCommonVersion_isTold(Place place) throws Exception {
    try (Program client = client("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")) {
      in(
          place,
          () -> {
            int fd = Sock.accept(listener);
            assertThatThrownBy(() -> Sock.acceptTls(fd))
                .isInstanceOf(SSLHandshakeException.class)
                .hasMessageContaining("TLSv1.1");
            Sock.close(fd);
          });
      assertThat(client.next("alert")).contains("protocol version");
    }
  }

  // ---- the JDK

  @ParameterizedTest
  @EnumSource(Place.class)
  void defect21_everyWriteIsTls_andArrivesAtSslSocket(Place place) throws Exception {
    byte[] data = new byte[5 << 20];
    new Random(1).nextBytes(data);
    Path file = Files.write(directory.resolve("file"), data);
    Elsewhere<byte[]> client =
        Elsewhere.start(() -> {
          try (SSLSocket socket =
              (SSLSocket)
                  TlsPair.ca()
                      .context()
                      .getSocketFactory()
                      .createSocket("localhost", Integer.parseInt(port))) {
            socket.getOutputStream().write("go".getBytes(StandardCharsets.UTF_8));
            return socket.getInputStream().readAllBytes(); // fails without a close_notify
          }
        });
    in(
        place,
        () -> {
          int fd = Sock.accept(listener);
          Sock.acceptTls(fd);
          assertThat(Sock.recvSome(fd, 0)).asString().isEqualTo("go");
          Sock.writeStr(fd, "str|");
          Sock.writeBytes(fd, data, 3);
          Sock.writeChunk(fd, "chunk");
          Sock.writeChunk(fd, data);
          Sock.writeChunkEnd(fd);
          assertThat(Sock.sendfile(fd, file)).isEqualTo(data.length);
          Sock.close(fd);
        });
    byte[] got = client.result();
    byte[] head = "str|".getBytes(StandardCharsets.UTF_8);
    int file0 = got.length - data.length;
    assertThat(got).startsWith(head);
    assertThat(Arrays.copyOfRange(got, 4, 7)).isEqualTo(Arrays.copyOf(data, 3));
    assertThat(Arrays.equals(got, file0, got.length, data, 0, data.length)).isTrue();
    String framing = "5\r\nchunk\r\n500000\r\n";
    assertThat(new String(got, 7, framing.length(), StandardCharsets.UTF_8)).isEqualTo(framing);
    int chunk0 = 7 + framing.length();
    assertThat(Arrays.equals(got, chunk0, chunk0 + data.length, data, 0, data.length)).isTrue();
    assertThat(Arrays.copyOfRange(got, chunk0 + data.length, file0))
        .asString()
        .isEqualTo("\r\n0\r\n\r\n");
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void peerThatAsksForAnswers_andReadsNone_isCutOff(Place place) throws Exception {
    Opened.smallestBuffer(listener, Linux.SO_SNDBUF); // which those that are accepted inherit
    Elsewhere<Void> client =
        Elsewhere.begin(() -> {
          SSLContext context = TlsPair.ca().context();
          try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket()) {
            socket.setReceiveBufferSize(1); // the kernel makes the smallest of it
            socket.connect(new InetSocketAddress("localhost", Integer.parseInt(port)));
            assertThatThrownBy(
                    () -> {
                      for (int i = 0; i < 1_000_000; i++) {
                        socket.startHandshake(); // after the first: a KeyUpdate, to be answered
                      }
                    })
                .isInstanceOf(IOException.class);
          }
        });
    in(
        place,
        () -> {
          int fd = Sock.accept(listener);
          Sock.acceptTls(fd);
          assertThatThrownBy(() -> Sock.recvSome(fd, 0))
              .isInstanceOf(SSLException.class)
              .hasMessageContaining("asks for answers and does not read them");
          Sock.close(fd);
        });
    client.result();
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void defect21_bodyOverARecord_comesFromHttpClient(Place place) throws Exception {
    byte[] body = new byte[100_000];
    new Random(2).nextBytes(body);
    try (HttpClient client = HttpClient.newBuilder().sslContext(TlsPair.ca().context()).build()) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/"))
              .version(HttpClient.Version.HTTP_1_1)
              .POST(HttpRequest.BodyPublishers.ofByteArray(body))
              .build();
      Elsewhere<byte[]> answer =
          Elsewhere.start(
              () -> client.send(request, HttpResponse.BodyHandlers.ofByteArray()).body());
      in(
          place,
          () -> {
            int fd = Sock.accept(listener);
            Sock.acceptTls(fd);
            byte[] head = Sock.readRequest(fd);
            int length = new String(head, StandardCharsets.ISO_8859_1).indexOf("\r\n\r\n") + 4;
            byte[] rest = Sock.drainBody(fd, body.length - (head.length - length));
            Sock.writeStr(fd, "HTTP/1.1 200 OK\r\nContent-Length: " + body.length + "\r\n\r\n");
            Sock.writeBytes(
                fd, Arrays.copyOfRange(head, length, head.length), head.length - length);
            Sock.writeBytes(fd, rest, rest.length);
            Sock.close(fd);
          });
      assertThat(answer.result()).isEqualTo(body);
    }
  }

  // ---- curl

  @ParameterizedTest
  @EnumSource(Place.class)
  void curl_getsAFileWhole(Place place) throws Exception {
    byte[] data = new byte[5 << 20];
    new Random(3).nextBytes(data);
    Path file = Files.write(directory.resolve("file"), data);
    Path got = directory.resolve("got");
    String url = "https://localhost:" + port + "/";
    String ca = TlsPair.ca().pem().toString();
    String[] words = {
      "curl", "-sS", "--cacert", ca, "--limit-rate", "50M", "-o", got.toString(), url
    };
    try (Program curl = Program.start(words)) {
      in(
          place,
          () -> {
            int fd = Sock.accept(listener);
            Sock.acceptTls(fd);
            Sock.readRequest(fd);
            Sock.writeStr(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            Sock.sendfile(fd, file);
            Sock.close(fd);
          });
      assertThat(curl.out.lines()).isEmpty();
      assertThat(curl.process.waitFor()).isZero();
    }
    assertThat(Files.mismatch(file, got)).isEqualTo(-1);
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void clientThatLeavesInTheMiddle_isAnError(Place place) throws Exception {
    byte[] data = new byte[32 << 20];
    try (Program client = client("-quiet")) {
      in(
          place,
          () -> {
            int fd = Sock.accept(listener);
            Sock.acceptTls(fd);
            Elsewhere<Throwable> writes =
                Elsewhere.start(() -> catchThrowable(() -> Sock.writeBytes(fd, data, data.length)));
            client.process.destroyForcibly();
            assertThat(writes.result())
                .isInstanceOf(dev.fdfiber.ErrnoException.class)
                .hasMessageMatching(".*(EPIPE|ECONNRESET).*");
            assertThat(catchThrowable(() -> Sock.recvAll(fd, 0))).isInstanceOf(IOException.class);
            Sock.close(fd);
          });
    }
  }
}
