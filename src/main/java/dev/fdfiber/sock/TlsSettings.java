package dev.fdfiber.sock;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Who we are and whom we trust, in new handshakes of this process. Reading stores and keys takes
 * its time, so a fiber has it done elsewhere.
 */
final class TlsSettings {
  /** Of the process, like the descriptors that they serve: {@link Sock} has no object to ask. */
  private static final AtomicReference<Settings> CURRENT =
      new AtomicReference<>(new Settings(null, null));

  private record Settings(@Nullable SSLContext client, @Nullable SSLContext server) {}

  private TlsSettings() {}

  /** What connections are made with. */
  static SSLContext client() throws IOException {
    SSLContext client = CURRENT.get().client;
    return client == null ? trust(null) : client;
  }

  /** What connections are accepted with. */
  static SSLContext server() {
    SSLContext server = CURRENT.get().server;
    if (server == null) {
      throw new IllegalStateException(
          "no certificate to serve with; call Sock.tlsServerInit first");
    }
    return server;
  }

  /** Trusts the system's authorities and those of a file. */
  static SSLContext trust(@Nullable Path caPem) throws IOException {
    SSLContext client =
        elsewhere("reading " + (caPem == null ? "the trust store" : caPem), () -> trusting(caPem));
    CURRENT.updateAndGet(settings -> new Settings(client, settings.server));
    return client;
  }

  /** Serves with this certificate chain and its key. */
  static void serve(Path certPem, Path keyPem) throws IOException {
    SSLContext server = elsewhere("reading " + certPem, () -> serving(certPem, keyPem));
    CURRENT.updateAndGet(settings -> new Settings(settings.client, server));
  }

  private static <T> T elsewhere(String what, Callable<T> body) throws IOException {
    try {
      return HelperThreads.call(what, body);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      throw new IOException(what + ": " + e.getCause(), e);
    }
  }

  private static SSLContext trusting(@Nullable Path caPem)
      throws IOException, GeneralSecurityException {
    TrustManager[] managers = managers(null);
    if (caPem != null) {
      KeyStore all = emptyStore();
      int count = 0;
      for (X509Certificate ca : Pem.certificates(caPem)) {
        all.setCertificateEntry("own " + count++, ca);
      }
      for (TrustManager manager : managers) {
        if (manager instanceof X509TrustManager system) {
          for (X509Certificate ca : system.getAcceptedIssuers()) {
            all.setCertificateEntry("system " + count++, ca);
          }
        }
      }
      managers = managers(all);
    }
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, managers, null);
    return context;
  }

  /** Null stands for the store of the system. */
  private static TrustManager[] managers(@Nullable KeyStore store) throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  private static SSLContext serving(Path certPem, Path keyPem)
      throws IOException, GeneralSecurityException {
    List<X509Certificate> chain = Pem.certificates(certPem);
    PrivateKey key = Pem.privateKey(keyPem);
    if (!belongTogether(key, chain.getFirst())) {
      throw new IOException(
          "the key in "
              + keyPem
              + " is not that of the first certificate in "
              + certPem
              + ", of "
              + chain.getFirst().getSubjectX500Principal());
    }
    char[] password = {'-'}; // of a store that is never written
    KeyStore store = emptyStore();
    store.setKeyEntry("server", key, password, chain.toArray(X509Certificate[]::new));
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, password);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(factory.getKeyManagers(), null, null);
    return context;
  }

  private static boolean belongTogether(PrivateKey key, X509Certificate certificate)
      throws GeneralSecurityException {
    String algorithm =
        switch (key.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          case "EdDSA" -> "EdDSA";
          default -> ""; // needs parameters; a handshake will tell
        };
    if (algorithm.isEmpty()) {
      return true;
    }
    if (!key.getAlgorithm().equals(certificate.getPublicKey().getAlgorithm())) {
      return false;
    }
    Signature signature = Signature.getInstance(algorithm);
    byte[] text = {1, 2, 3};
    signature.initSign(key);
    signature.update(text);
    byte[] signed = signature.sign();
    signature.initVerify(certificate.getPublicKey());
    signature.update(text);
    return signature.verify(signed);
  }

  private static KeyStore emptyStore() throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }
}
