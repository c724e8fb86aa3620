package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fdfiber.Fiber;
import dev.fdfiber.FiberScope;
import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.SocketPair;
import dev.fdfiber.testing.TestCa;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** TLS handshakes: in one call and in steps, their limits, and why they fail. */
@FdTest
class TlsHandshakeTest {
  private static final List<String> EC =
      List.of("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1");

  @TempDir Path directory;

  private int listener;
  private int port;

  @BeforeEach
  void listen() throws Exception {
    TlsPair.ca();
    listener = Sock.listen(0, false);
    port = Sock.localPort(listener);
  }

  @AfterEach
  void restore() throws Exception {
    Sock.close(listener);
    TlsPair.restore();
  }

  /** Accepts a connection, speaks TLS on it and ends; what the handshake threw, or null. */
  private Elsewhere<Throwable> accepting() {
    return Elsewhere.start(() -> {
      int fd = Sock.accept(listener);
      try {
        return catchThrowable(() -> Sock.acceptTls(fd));
      } finally {
        Sock.close(fd);
      }
    });
  }

  private void serve(TestCa.Identity identity) throws IOException {
    Sock.tlsServerInit(identity.certificate(), identity.key());
  }

  // ---- in steps

  @ParameterizedTest
  @EnumSource(Place.class)
  void steps_leadToTheEnd(Place place) throws Exception {
    place.run(() -> {
      int client = Sock.tlsConnectStart("localhost", port);
      int server = Sock.accept(listener);
      Sock.tlsAcceptStart(server);
      assertThatThrownBy(() -> Sock.acceptTls(server))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("already");
      assertThat(Sock.tlsHandshakeStep(server)).isEqualTo(IoStatus.WANT_READ);
      int[] fds = {client, server};
      boolean[] done = new boolean[2];
      PollSet set = new PollSet();
      while (!done[0] || !done[1]) {
        set.reset();
        for (int i = 0; i < 2; i++) {
          IoStatus status = Sock.tlsHandshakeStep(fds[i]);
          done[i] = status == IoStatus.OK;
          if (!done[i]) {
            assertThat(status).isIn(IoStatus.WANT_READ, IoStatus.WANT_WRITE);
            set.add(fds[i], status == IoStatus.WANT_READ ? Scheduler.READ : Scheduler.WRITE);
          }
        }
        assertThat(set.run(done[0] && done[1] ? 0 : -1)).isLessThanOrEqualTo(2);
      }
      assertThat(Sock.tlsHandshakeStep(client)).isEqualTo(IoStatus.OK);
      Sock.writeStr(client, "done");
      assertThat(Sock.recvSome(server, 0)).asString().isEqualTo("done");
      Sock.close(client);
      Sock.close(server);
    });
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void handshakeThatWasStarted_isDoneByTheFirstCall(Place place) throws Exception {
    Elsewhere<Throwable> server = accepting();
    place.run(() -> {
      int client = Sock.tlsConnectStart("localhost", port);
      assertThat(Sock.recvSome(client, 0)).as("the end").isEmpty();
      Sock.close(client);
    });
    assertThat(server.result()).isNull();
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void misuse_isRefused(Place place, SocketPair pair) throws Exception {
    place.run(() -> {
      assertThatThrownBy(() -> Sock.tlsHandshakeStep(pair.a()))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> Sock.acceptTls(Opened.notOpen())).hasMessageContaining("EBADF");
    });
  }

  @Test
  void connectTls_parksTheFiberAlone(Scheduler s) throws Exception {
    List<String> seen = new ArrayList<>();
    s.spawn(() -> {
      int fd = Sock.connectTls("localhost", port);
      seen.add("connected");
      Sock.close(fd);
    });
    s.spawn(() -> {
      seen.add("other");
      int fd = Sock.accept(listener);
      Sock.acceptTls(fd);
      Sock.close(fd);
    });
    s.run();
    assertThat(seen).containsExactly("other", "connected");
  }

  // ---- limits

  @ParameterizedTest
  @EnumSource(Place.class)
  void slowHandshake_isLimitedByTheReceiveTimeout(Place place, SocketPair pair) throws Exception {
    Elsewhere<Void> drips =
        Elsewhere.begin(() -> { // each byte in time, and never a whole message
          int[] record = {0x16, 3, 1, 1, 0, 1, 0, 0, 0xfc, 3, 3};
          for (int i = 0; Fds.isOpen(pair.a()); i++) {
            Sock.writeBytes(pair.b(), new byte[] {(byte) (i < 11 ? record[i] : 0)}, 1);
            if (i == 200) {
              return;
            }
            Scheduler.pause(0.005);
          }
        });
    place.run(() -> {
      Sock.setRecvTimeout(pair.a(), 50);
      assertThatThrownBy(() -> Sock.acceptTls(pair.a()))
          .isInstanceOf(SocketTimeoutException.class)
          .hasMessageContaining("TLS handshake");
      assertThat(Sock.ioStatus(pair.a())).isEqualTo(IoStatus.WANT_READ);
    });
    drips.result();
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void connectTls_hasALimit(Place place) throws Exception {
    place.run(
        () -> // the connection is in the listener's queue, where nobody answers
        assertThatThrownBy(() -> Sock.connectTls("localhost", port, Duration.ofMillis(20)))
                .isInstanceOf(SocketTimeoutException.class));
  }

  @Test
  void r20_cancelDuringHandshake_endsIt(Scheduler s, SocketPair pair) throws Exception {
    Fiber accepts = s.spawn(() -> Sock.acceptTls(pair.a()));
    Fiber connects = s.spawn(() -> Sock.connectTls("localhost", port));
    do {
      s.runFor(0.01);
    } while (!s.fibers().stream().allMatch(f -> f.state() == Fiber.State.WAITING_IO));
    accepts.cancel();
    connects.cancel();
    s.run();
    assertThat(accepts.failure()).get().isInstanceOf(InterruptedIOException.class);
    assertThat(connects.failure()).get().isInstanceOf(InterruptedIOException.class);
    assertThat(Fds.isOpen(pair.a())).isTrue();
  }

  @Test
  void deadlineOfAScope_endsAHandshake(Scheduler s, SocketPair pair) throws Exception {
    Place.in(
        s,
        () -> {
          assertThatThrownBy(() ->
                  FiberScope.within(
                      Duration.ofMillis(20),
                      () -> {
                        Sock.acceptTls(pair.a()); // nobody calls
                        return pair.a();
                      }))
              .isInstanceOf(TimeoutException.class)
              .hasCauseInstanceOf(InterruptedIOException.class);
          assertThat(Thread.currentThread().isInterrupted()).isFalse();
        });
    assertThat(Fds.isOpen(pair.a())).isTrue();
  }

  // ---- reasons

  /** What connecting throws. */
  private static SSLHandshakeException refused(Place place, String host, int port)
      throws Exception {
    List<SSLHandshakeException> thrown = new ArrayList<>();
    place.run(() ->
        thrown.add(
            catchThrowableOfType(SSLHandshakeException.class, () -> Sock.connectTls(host, port))));
    return thrown.getFirst();
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void unknownAuthority_isRefused(Place place) throws Exception {
    Sock.tlsTrust(null);
    Elsewhere<Throwable> server = accepting();
    assertThat(refused(place, "localhost", port))
        .hasMessageContaining("nobody who is trusted here has signed")
        .hasMessageContaining("Sock.tlsTrust");
    assertThat(server.result())
        .isInstanceOf(SSLHandshakeException.class)
        .hasMessageContaining("refuses, with the alert");
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void certificateOfAnotherHost_isRefused(Place place) throws Exception {
    TestCa ca = TlsPair.ca();
    serve(ca.identity("other", EC, List.of("-addext", "subjectAltName=DNS:other.test")));
    Elsewhere<Throwable> server = accepting();
    assertThat(refused(place, "localhost", port))
        .hasMessageContaining("is not for the host")
        .hasMessageContaining("localhost");
    assertThat(server.result()).hasMessageContaining("alert");
    server = accepting();
    assertThat(refused(place, "127.0.0.1", port)).hasMessageContaining("127.0.0.1");
    server.result();
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void certificateWhoseTimeIsOver_isRefused(Place place) throws Exception {
    TestCa ca = new TestCa(directory);
    serve(ca.expired());
    Sock.tlsTrust(ca.pem());
    Elsewhere<Throwable> server = accepting();
    assertThat(refused(place, "localhost", port))
        .hasMessageContaining("expired")
        .hasMessageContaining("2020");
    assertThat(server.result()).hasMessageContaining("alert");
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void plaintextClient_isToldApart(Place place) throws Exception {
    int client = Sock.connect("localhost", port);
    Sock.writeStr(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    place.run(() -> {
      int server = Sock.accept(listener);
      assertThatThrownBy(() -> Sock.acceptTls(server))
          .isInstanceOf(SSLHandshakeException.class)
          .hasMessageContaining("does not speak TLS")
          .hasMessageContaining("GET / HTTP/1.1");
      assertThat(Sock.ioStatus(server)).isEqualTo(IoStatus.ERROR);
      assertThatThrownBy(() -> Sock.writeStr(server, "never in the clear"))
          .isInstanceOf(SSLException.class);
      assertThatThrownBy(() -> Sock.recvSome(server, 0)).isInstanceOf(SSLException.class);
      Sock.close(server);
    });
    assertThat(Sock.recvAll(client, 0)).asString().doesNotContain("clear");
    Sock.close(client);
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void plaintextServer_isToldApart(Place place) throws Exception {
    Elsewhere<Void> server =
        Elsewhere.begin(() -> {
          int fd = Sock.accept(listener);
          Sock.writeStr(fd, "220 mail.test ready\r\n");
          Sock.recvSome(fd, 0);
          Sock.close(fd);
        });
    assertThat(refused(place, "localhost", port))
        .hasMessageContaining("does not speak TLS")
        .hasMessageContaining("220 mail.test");
    server.result();
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void peerThatLeaves_isToldApart(Place place) throws Exception {
    Elsewhere<Void> server =
        Elsewhere.begin(() -> {
          int fd = Sock.accept(listener);
          Sock.drainBody(fd, 100); // the middle of a ClientHello
          Sock.setRecvTimeout(fd, 1);
          assertThatThrownBy(() -> Sock.recvAll(fd, 0)).isInstanceOf(SocketTimeoutException.class);
          Sock.close(fd);
        });
    assertThat(refused(place, "localhost", port)).hasMessageContaining("closed the connection");
    server.result();
  }

  // ---- certificates and keys

  @Test
  void keysOfAllKinds_areRead() throws Exception {
    TestCa ca = TlsPair.ca();
    TestCa.Identity rsa = ca.identity("rsa", List.of("-newkey", "rsa:2048"), TestCa.LOCALHOST);
    TestCa.Identity ec = ca.localhost();
    TestCa.Identity ed = ca.identity("ed", List.of("-newkey", "ed25519"), TestCa.LOCALHOST);
    for (TestCa.Identity identity :
        List.of(rsa, ec, ed, traditional(ca, rsa), traditional(ca, ec))) {
      serve(identity); // again and again: for new handshakes
      Elsewhere<Throwable> server = accepting();
      int client = Sock.connectTls("localhost", port);
      assertThat(Sock.recvAll(client, 0)).isEmpty();
      Sock.close(client);
      assertThat(server.result()).isNull();
    }
  }

  /** The same key as PKCS#1 or SEC1, and text around it. */
  private TestCa.Identity traditional(TestCa ca, TestCa.Identity identity) throws Exception {
    Path key = directory.resolve("traditional");
    ca.openssl(
        List.of("pkey", "-in", identity.key().toString(), "-out", key.toString(), "-traditional"));
    Path file = directory.resolve(identity.key().getFileName() + ".old");
    Files.writeString(
        file, "-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\nx\n");
    Files.writeString(file, Files.readString(key), java.nio.file.StandardOpenOption.APPEND);
    assertThat(Files.readString(file)).contains("RIVATE KEY").doesNotContain("BEGIN PRIVATE KEY");
    return new TestCa.Identity(identity.certificate(), file);
  }

  @Test
  void chain_isSentWhole() throws Exception {
    TestCa ca = TlsPair.ca();
    TestCa.Identity middle =
        ca.identity("middle", EC, List.of("-addext", "basicConstraints=critical,CA:true"));
    Path key = directory.resolve("leaf.key");
    Path chain = directory.resolve("leaf.pem");
    List<String> command = new ArrayList<>(List.of("req", "-x509", "-days", "30"));
    command.addAll(List.of("-CA", middle.certificate().toString()));
    command.addAll(List.of("-CAkey", middle.key().toString()));
    command.addAll(EC);
    command.addAll(List.of("-nodes", "-keyout", key.toString(), "-out", chain.toString()));
    command.addAll(List.of("-subj", "/CN=leaf", "-addext", "basicConstraints=CA:false"));
    command.addAll(TestCa.LOCALHOST);
    ca.openssl(command);
    Files.writeString(
        chain, Files.readString(middle.certificate()), java.nio.file.StandardOpenOption.APPEND);
    serve(new TestCa.Identity(chain, key));
    Elsewhere<Throwable> server = accepting();
    Sock.close(Sock.connectTls("127.0.0.1", port));
    assertThat(server.result()).isNull();
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void uselessFiles_areRefusedWithTheReason(Place place) throws Exception {
    TestCa ca = TlsPair.ca();
    TestCa.Identity localhost = ca.localhost();
    Path certificate = localhost.certificate();
    Path other = ca.identity("stranger", EC, List.of()).key();
    Path rsa = ca.identity("rsa", List.of("-newkey", "rsa:2048"), List.of()).key();
    Path encrypted = directory.resolve("encrypted");
    String[] to = {"pkey", "-in", rsa.toString(), "-out", encrypted.toString()};
    List<String> command = new ArrayList<>(List.of(to));
    command.addAll(List.of("-aes256", "-passout", "pass:secret"));
    ca.openssl(command);
    Path old = directory.resolve("old");
    command.set(4, old.toString());
    command.add("-traditional");
    ca.openssl(command);
    Path none = Files.writeString(directory.resolve("none"), "no PEM at all");
    Path cut =
        Files.writeString(
            directory.resolve("cut"),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    place.run(() -> {
      assertRefused(certificate, other, "is not that of the first certificate");
      assertRefused(certificate, rsa, "is not that of the first certificate");
      assertRefused(certificate, encrypted, "openssl pkey -in " + encrypted);
      assertRefused(certificate, old, "openssl pkey -in " + old);
      assertRefused(certificate, none, "no private key");
      assertRefused(none, localhost.key(), "no certificate");
      assertRefused(cut, localhost.key(), "certificate that is none");
      assertRefused(directory.resolve("missing"), other, "missing");
      assertThatThrownBy(() -> Sock.tlsTrust(none)).isInstanceOf(IOException.class);
    });
    Elsewhere<Throwable> server = accepting(); // as before
    Sock.close(Sock.connectTls("localhost", port));
    assertThat(server.result()).isNull();
  }

  private static void assertRefused(Path certificate, Path key, String reason) {
    assertThatThrownBy(() -> Sock.tlsServerInit(certificate, key))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(reason);
  }
}
