package dev.fdfiber.sock;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.kernel.Kernel;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;

/** How descriptors come to speak TLS, as the side that calls or the one that is called. */
final class Tls {
  private static final String[] VERSIONS = {"TLSv1.3", "TLSv1.2"};

  private Tls() {}

  static int connect(Kernel kernel, String host, int port, Duration timeout) throws IOException {
    int fd = connectStart(kernel, host, port, timeout);
    try {
      stream(kernel, fd).handshake(kernel, new Deadline(timeout));
      return fd;
    } catch (IOException | RuntimeException e) {
      Tcp.close(kernel, fd);
      throw e;
    }
  }

  /** A connection whose handshake is to be done. */
  static int connectStart(Kernel kernel, String host, int port, Duration timeout)
      throws IOException {
    SSLContext context = TlsSettings.client();
    int fd = Tcp.connect(kernel, host, port, timeout);
    try {
      SSLEngine engine = context.createSSLEngine(host, port);
      engine.setUseClientMode(true);
      engine.setSSLParameters(verifying(engine.getSSLParameters(), host));
      start(kernel, fd, engine);
      return fd;
    } catch (IOException | RuntimeException e) {
      Tcp.close(kernel, fd);
      throw e;
    }
  }

  /** The certificate must be for the host; its name is sent, for servers that have several. */
  private static SSLParameters verifying(SSLParameters parameters, String host) {
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    if (!isAddress(host)) {
      try {
        String name = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
        parameters.setServerNames(List.of(new SNIHostName(name)));
      } catch (IllegalArgumentException e) {
        // no name that TLS can send, such as one with an underscore
      }
    }
    return parameters;
  }

  private static boolean isAddress(String host) {
    try {
      return InetAddress.ofLiteral(host) != null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  static void accept(Kernel kernel, int fd) throws IOException {
    acceptStart(kernel, fd);
    stream(kernel, fd).handshake(kernel, new Deadline(Io.recvTimeout(kernel, fd)));
  }

  /** The descriptor speaks TLS from here on; its handshake is to be done. */
  static void acceptStart(Kernel kernel, int fd) throws IOException {
    SSLEngine engine = TlsSettings.server().createSSLEngine();
    engine.setUseClientMode(false);
    start(kernel, fd, engine);
  }

  private static void start(Kernel kernel, int fd, SSLEngine engine) throws IOException {
    FileId file = FileId.of(kernel, fd);
    if (file == null) {
      throw new ErrnoException("TLS handshake", fd, FileId.whyNone(kernel, fd));
    }
    engine.setEnabledProtocols(VERSIONS);
    try {
      HelperThreads.call( // this makes keys
          "TLS handshake on fd " + fd,
          () -> {
            engine.beginHandshake();
            return engine;
          });
    } catch (ExecutionException e) {
      throw new SSLException("TLS handshake on fd " + fd + ": " + e.getCause(), e.getCause());
    }
    if (!FdStates.startTls(fd, file, new TlsStream(engine, fd))) {
      throw new IllegalStateException("fd " + fd + " speaks TLS already");
    }
  }

  /** Of a descriptor whose handshake was started. */
  static TlsStream stream(Kernel kernel, int fd) throws IOException {
    TlsStream stream = FdStates.tls(kernel, fd);
    if (stream == null) {
      throw new IllegalStateException("fd " + fd + " does not speak TLS");
    }
    return stream;
  }
}
