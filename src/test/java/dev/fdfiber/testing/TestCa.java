package dev.fdfiber.testing;

import dev.fdfiber.Tools;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A certificate authority for tests, made by openssl in a directory of the test's. */
public final class TestCa {
  /** For {@code localhost} and 127.0.0.1. */
  public static final List<String> LOCALHOST =
      List.of("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1");

  private static final List<String> EC =
      List.of("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1");

  private final Path directory;

  /** A certificate chain and its key, in PEM. */
  public record Identity(Path certificate, Path key) {}

  public TestCa(Path directory) {
    this.directory = directory;
    List<String> command = new ArrayList<>(List.of("req", "-x509", "-days", "3650"));
    command.addAll(EC);
    command.addAll(List.of("-nodes", "-keyout", "ca.key", "-out", "ca.pem"));
    command.addAll(List.of("-subj", "/CN=fdfiber test CA"));
    openssl(command);
  }

  /** The certificate that others must trust. */
  public Path pem() {
    return directory.resolve("ca.pem");
  }

  /** A certificate for {@link #LOCALHOST}, with an EC key. */
  public Identity localhost() {
    return identity("localhost", EC, LOCALHOST);
  }

  /** A certificate, signed by this authority. */
  public Identity identity(String name, List<String> newKey, List<String> extensions) {
    List<String> command = new ArrayList<>(List.of("req", "-x509", "-days", "30"));
    command.addAll(List.of("-CA", "ca.pem", "-CAkey", "ca.key"));
    command.addAll(newKey);
    command.addAll(List.of("-nodes", "-keyout", name + ".key", "-out", name + ".pem"));
    command.addAll(List.of("-subj", "/CN=" + name));
    command.addAll(extensions);
    openssl(command);
    return of(name);
  }

  /** A certificate for {@link #LOCALHOST} whose time is over. */
  public Identity expired() {
    try {
      Files.writeString(
          directory.resolve("ca.cnf"),
          """
          [ca]
          default_ca = d
          [d]
          database = index
          serial = serial
          new_certs_dir = .
          default_md = sha256
          policy = p
          copy_extensions = copy
          [p]
          commonName = supplied
          """);
      Files.writeString(directory.resolve("index"), "");
      Files.writeString(directory.resolve("serial"), "01\n");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    List<String> request = new ArrayList<>(List.of("req", "-subj", "/CN=expired"));
    request.addAll(EC);
    request.addAll(List.of("-nodes", "-keyout", "expired.key", "-out", "expired.csr"));
    request.addAll(LOCALHOST);
    openssl(request);
    openssl(
        List.of(
            "ca",
            "-batch",
            "-config",
            "ca.cnf",
            "-cert",
            "ca.pem",
            "-keyfile",
            "ca.key",
            "-rand_serial",
            "-in",
            "expired.csr",
            "-out",
            "expired.pem",
            "-notext",
            "-startdate",
            "20200101000000Z",
            "-enddate",
            "20200201000000Z"));
    return of("expired");
  }

  private Identity of(String name) {
    return new Identity(directory.resolve(name + ".pem"), directory.resolve(name + ".key"));
  }

  /** What a Java client needs to trust this authority. */
  public SSLContext context() {
    try (InputStream in = Files.newInputStream(pem())) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setCertificateEntry(
          "ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, factory.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** Runs openssl in the directory of this authority, to its end. */
  public void openssl(List<String> words) {
    List<String> command = new ArrayList<>(List.of(Tools.require("openssl").toString()));
    command.addAll(words);
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .start();
      process.getOutputStream().close();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new AssertionError(command + ": " + out);
      }
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
