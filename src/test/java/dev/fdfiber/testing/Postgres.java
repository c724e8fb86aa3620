package dev.fdfiber.testing;

import dev.fdfiber.Tools;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A PostgreSQL server of Debian's, with a database of its own, on a free port. It refuses to run as
 * root, so root starts it as user postgres.
 */
public final class Postgres implements AutoCloseable {
  private final Path directory;
  private final Process server;
  private final Thread drain;
  private final int port;

  private Postgres(Path directory, Process server, Thread drain, int port) {
    this.directory = directory;
    this.server = server;
    this.drain = drain;
    this.port = port;
  }

  /** Starts one; skips the test where there is none. */
  public static Postgres start() throws IOException, InterruptedException {
    Path bin = Tools.requireIn("postgres", Path.of("/usr/lib/postgresql"), "bin").getParent();
    Path directory = Files.createTempDirectory("fdfiber-postgres");
    boolean root = System.getProperty("user.name").equals("root");
    if (root) {
      run(List.of("chown", "postgres", directory.toString()));
    }
    List<String> as =
        root
            ? List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
            : List.of();
    String data = directory.resolve("data").toString();
    String initdb = bin.resolve("initdb").toString();
    run(with(as, initdb, "-D", data, "-U", "test", "-A", "trust", "-N", "-E", "UTF8"));
    int port = freePort();
    String postgres = bin.resolve("postgres").toString();
    ProcessBuilder builder =
        new ProcessBuilder(
            with(
                as,
                postgres,
                "-D",
                data,
                "-p",
                Integer.toString(port),
                "-k",
                directory.toString(),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "fsync=off"));
    Process server = builder.directory(directory.toFile()).redirectErrorStream(true).start();
    return new Postgres(directory, server, awaitReady(server), port);
  }

  /** Waits until it serves; the thread reads on, or it would block in the end. */
  private static Thread awaitReady(Process server) throws IOException {
    StringBuilder said = new StringBuilder();
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      said.append(line).append('\n');
      if (line.contains("ready to accept connections")) {
        return Thread.ofPlatform().daemon().start(() -> drain(lines));
      }
    }
    throw new AssertionError("postgres ended: " + said);
  }

  private static void drain(BufferedReader lines) {
    try (lines) {
      while (lines.readLine() != null) {
        Thread.onSpinWait();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> with(List<String> as, String... command) {
    List<String> all = new ArrayList<>(as);
    all.addAll(List.of(command));
    return all;
  }

  private static void run(List<String> command) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(Path.of("/").toFile());
    Process process = builder.redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(command + ": " + said);
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    }
  }

  /** The JDBC URL of its database. */
  public String url() {
    return "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=test";
  }

  /**
   * Ends it by SIGINT, its fast shutdown: for SIGTERM it would wait for every session to end, those
   * included whose client has gone in the middle of a query.
   */
  @Override
  public void close() throws IOException, InterruptedException {
    run(List.of("kill", "-INT", Long.toString(server.pid())));
    if (!server.waitFor(30, TimeUnit.SECONDS)) {
      server.destroyForcibly().waitFor();
    }
    drain.join();
    server.getOutputStream().close();
    server.getErrorStream().close();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
