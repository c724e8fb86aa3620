package dev.fdfiber.examples;

import dev.fdfiber.examples.http.Limits;
import dev.fdfiber.inspect.Inspector;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What the worker is told on its command line.
 *
 * @param host the address to listen on
 * @param port the port to listen on; 0 for any that is free
 * @param workers how many threads serve
 * @param grace how long what is being served may go on after a stop
 * @param upstream whom {@code /poll} asks; empty: the worker itself
 * @param tls as whom it accepts TLS; empty: it speaks plainly
 * @param files the directory whose files are below {@code /files/}
 * @param inspect where {@code /fibers} is, and who sees it
 * @param limits what a client may cost
 */
public record Options(
    String host,
    int port,
    int workers,
    Duration grace,
    Optional<Upstream> upstream,
    Optional<Tls> tls,
    Optional<Path> files,
    Inspect inspect,
    Limits limits) {

  /** Where an upstream listens. */
  public record Upstream(String host, int port) {}

  /** A certificate, with those that lead to its authority, and its key; both in PEM. */
  public record Tls(Path cert, Path key) {}

  /**
   * The page of the worker's fibers.
   *
   * @param port its own port; 0 for any that is free
   * @param token who sees it where others reach it; empty: nobody
   */
  public record Inspect(int port, Optional<String> token) {}

  /** What {@code --help} prints. */
  public static final String USAGE =
      """
      Serves HTTP: an event stream, a long-poll and a batch side by side, on one thread.

        --port N              the port; 0 for any free one (8080)
        --host HOST           the address to listen on (127.0.0.1)
        --workers N           how many threads serve, each with its own listening socket (1)
        --tls-cert FILE       speaks TLS, with this certificate (PEM)
        --tls-key FILE        its private key (PEM, not encrypted)
        --files DIR           serves the file DIR/PATH as /files/PATH
        --inspect-port N      the port of the page that /fibers leads to; 0 for any free one (0)
        --inspect-token TOKEN who may see /fibers where --host is not this machine alone
        --upstream HOST:PORT  whom /poll asks (the worker's own /upstream)
        --idle-seconds S      how long a connection may send nothing (60)
        --head-seconds S      how long a request's head may take (10)
        --body-bytes N        how long a request's body may be (1073741824)
        --grace-seconds S     how long what is being served may go on after a stop (5)
        --help                prints this
      """;

  /** What the worker does when it is told nothing. */
  public static Options defaults() {
    return new Options(
        "127.0.0.1",
        8080,
        1,
        Duration.ofSeconds(5),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        new Inspect(0, Optional.empty()),
        Limits.defaults());
  }

  /**
   * Reads a command line.
   *
   * @throws IllegalArgumentException that says which word is wrong and what to give instead
   */
  public static Options parse(List<String> words) {
    Options options = defaults();
    Optional<Path> cert = Optional.empty();
    Optional<Path> key = Optional.empty();
    for (int i = 0; i < words.size(); i += 2) {
      String name = words.get(i);
      if (i + 1 == words.size()) {
        throw bad(name, isKnown(name) ? "needs a value" : "is no option; see --help");
      }
      String value = words.get(i + 1);
      switch (name) {
        case "--tls-cert" -> cert = Optional.of(Path.of(value));
        case "--tls-key" -> key = Optional.of(Path.of(value));
        default -> options = options.with(name, value);
      }
    }
    if (cert.isPresent() != key.isPresent()) {
      throw bad(
          cert.isPresent() ? "--tls-cert" : "--tls-key", "needs the other of the two as well");
    }
    return cert.isPresent() ? options.withTls(new Tls(cert.get(), key.get())) : options;
  }

  private static boolean isKnown(String name) {
    return name.startsWith("--") && USAGE.contains("  " + name + " ");
  }

  private Options with(String name, String value) {
    return switch (name) {
      case "--port" -> onPort((int) number(name, value, 0, 65_535));
      case "--host" ->
          new Options(value, port, workers, grace, upstream, tls, files, inspect, limits);
      case "--workers" -> withWorkers((int) number(name, value, 1, 1024));
      case "--grace-seconds" -> withGrace(seconds(name, value));
      case "--files" -> withFiles(Path.of(value));
      case "--inspect-port" ->
          withInspect(new Inspect((int) number(name, value, 0, 65_535), inspect.token()));
      case "--inspect-token" ->
          withInspect(new Inspect(inspect.port(), Optional.of(token(name, value))));
      case "--upstream" -> withUpstream(upstream(name, value));
      case "--idle-seconds" ->
          withLimits(limits.within(seconds(name, value), limits.head(), limits.body()));
      case "--head-seconds" ->
          withLimits(limits.within(limits.idle(), seconds(name, value), limits.body()));
      case "--body-bytes" -> withLimits(limits.withBodyBytes(number(name, value, 0, 1L << 50)));
      default -> throw bad(name, "is no option; see --help");
    };
  }

  /** What its addresses begin with. */
  String scheme() {
    return tls.isPresent() ? "https://" : "http://";
  }

  /** The host as its addresses have it. */
  String authority() {
    return host.contains(":") ? "[" + host + "]" : host;
  }

  /** The same on another port. */
  public Options onPort(int newPort) {
    return new Options(host, newPort, workers, grace, upstream, tls, files, inspect, limits);
  }

  /** The same with another number of workers. */
  public Options withWorkers(int newWorkers) {
    return new Options(host, port, newWorkers, grace, upstream, tls, files, inspect, limits);
  }

  /** The same with another grace period. */
  public Options withGrace(Duration newGrace) {
    return new Options(host, port, workers, newGrace, upstream, tls, files, inspect, limits);
  }

  /** The same with another upstream. */
  public Options withUpstream(Upstream newUpstream) {
    return new Options(
        host, port, workers, grace, Optional.of(newUpstream), tls, files, inspect, limits);
  }

  /** The same, speaking TLS. */
  public Options withTls(Tls newTls) {
    return new Options(
        host, port, workers, grace, upstream, Optional.of(newTls), files, inspect, limits);
  }

  /** The same with files to show. */
  public Options withFiles(Path directory) {
    return new Options(
        host, port, workers, grace, upstream, tls, Optional.of(directory), inspect, limits);
  }

  /** The same with another page of fibers. */
  public Options withInspect(Inspect newInspect) {
    return new Options(host, port, workers, grace, upstream, tls, files, newInspect, limits);
  }

  /** The same with other limits. */
  public Options withLimits(Limits newLimits) {
    return new Options(host, port, workers, grace, upstream, tls, files, inspect, newLimits);
  }

  private static Upstream upstream(String name, String value) {
    int colon = value.lastIndexOf(':');
    if (colon < 1) {
      throw bad(name, value + " is no HOST:PORT");
    }
    String host = value.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1); // [::1]:8080
    }
    return new Upstream(host, (int) number(name, value.substring(colon + 1), 1, 65_535));
  }

  private static String token(String name, String value) {
    try {
      Inspector.of(List::of).token(value);
      return value;
    } catch (IllegalArgumentException e) {
      throw bad(name, e.getMessage());
    }
  }

  private static long number(String name, String value, long lowest, long highest) {
    try {
      long number = Long.parseLong(value);
      if (number >= lowest && number <= highest) {
        return number;
      }
    } catch (NumberFormatException e) {
      // is said below
    }
    throw bad(name, value + " will not do; give a number from " + lowest + " to " + highest);
  }

  private static Duration seconds(String name, String value) {
    try {
      double seconds = Double.parseDouble(value);
      if (seconds > 0) {
        return Duration.ofNanos((long) Math.ceil(1e9 * Math.min(seconds, 1e9)));
      }
    } catch (NumberFormatException e) {
      // is said below
    }
    throw bad(name, value + " is no time; give seconds, more than 0");
  }

  private static IllegalArgumentException bad(String name, String problem) {
    return new IllegalArgumentException(name + ": " + problem);
  }
}
