package dev.fdfiber.sock;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.TestCa;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** TLS connections whose both ends are this library's, as localhost with a certificate of tests. */
final class TlsPair {
  private static TestCa ca;
  private static TestCa.Identity localhost;

  private TlsPair() {}

  /** The authority that is trusted in tests; serves as localhost from now on. */
  static synchronized TestCa ca() throws IOException {
    if (ca == null) {
      Path target = Files.createDirectories(Path.of("target"));
      TestCa made = new TestCa(Files.createTempDirectory(target, "ca").toAbsolutePath());
      localhost = made.localhost();
      ca = made;
      restore();
    }
    return ca;
  }

  /** Undoes what a test did to the settings of the process. */
  static synchronized void restore() throws IOException {
    Sock.tlsServerInit(localhost.certificate(), localhost.key());
    Sock.tlsTrust(ca.pem());
  }

  /** A connection whose handshake is done; {@code a} has called, {@code b} was. Outside fibers. */
  static Fds.Pair open() {
    try {
      ca();
      int listener = Sock.listen(0, false);
      int port = Sock.localPort(listener);
      int[] fds = new int[2];
      try (Scheduler s = Scheduler.create()) {
        Fiber client = s.spawn(() -> fds[0] = Sock.connectTls("localhost", port));
        Fiber server =
            s.spawn(() -> {
              fds[1] = Sock.accept(listener);
              Sock.acceptTls(fds[1]);
            });
        s.run();
        Place.rethrow(client);
        Place.rethrow(server);
      } finally {
        Sock.close(listener);
      }
      return new Fds.Pair(fds[0], fds[1]);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
