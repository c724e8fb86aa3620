package dev.fdfiber.examples;

import java.util.List;
import java.util.Optional;

/**
 * What the worker is told on its command line.
 *
 * @param host the address to listen on
 * @param port the port to listen on; 0 for any that is free
 * @param upstream whom {@code /poll} asks; empty: the worker itself
 * @param idleSeconds how long a connection may stay silent before its request
 * @param headSeconds how long a request's head may take from its first byte on
 */
public record Options(
    String host, int port, Optional<Upstream> upstream, double idleSeconds, double headSeconds) {

  /** Where an upstream listens. */
  public record Upstream(String host, int port) {}

  /** What {@code --help} prints. */
  public static final String USAGE =
      """
      Serves an event stream, a long-poll and a batch side by side on one thread.

        --port N              the port; 0 for any free one (8080)
        --host HOST           the address to listen on (127.0.0.1)
        --upstream HOST:PORT  whom /poll asks (the worker's own /upstream)
        --idle-seconds S      how long a connection may send nothing (60)
        --head-seconds S      how long a request's head may take (10)
        --help                prints this
      """;

  /** What the worker does when it is told nothing. */
  public static Options defaults() {
    return new Options("127.0.0.1", 8080, Optional.empty(), 60, 10);
  }

  /**
   * Reads a command line.
   *
   * @throws IllegalArgumentException that says which word is wrong and what to give instead
   */
  public static Options parse(List<String> words) {
    Options options = defaults();
    for (int i = 0; i < words.size(); i += 2) {
      String name = words.get(i);
      if (i + 1 == words.size()) {
        throw bad(name, isKnown(name) ? "needs a value" : "is no option; see --help");
      }
      options = options.with(name, words.get(i + 1));
    }
    return options;
  }

  private static boolean isKnown(String name) {
    return name.startsWith("--") && USAGE.contains("  " + name + " ");
  }

  private Options with(String name, String value) {
    return switch (name) {
      case "--port" -> onPort(port(name, value, 0));
      case "--host" -> new Options(value, port, upstream, idleSeconds, headSeconds);
      case "--upstream" -> withUpstream(upstream(name, value));
      case "--idle-seconds" -> withLimits(seconds(name, value), headSeconds);
      case "--head-seconds" -> withLimits(idleSeconds, seconds(name, value));
      default -> throw bad(name, "is no option; see --help");
    };
  }

  /** The same on another port. */
  public Options onPort(int newPort) {
    return new Options(host, newPort, upstream, idleSeconds, headSeconds);
  }

  /** The same with another upstream. */
  public Options withUpstream(Upstream newUpstream) {
    return new Options(host, port, Optional.of(newUpstream), idleSeconds, headSeconds);
  }

  /** The same with other limits. */
  public Options withLimits(double newIdleSeconds, double newHeadSeconds) {
    return new Options(host, port, upstream, newIdleSeconds, newHeadSeconds);
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
    return new Upstream(host, port(name, value.substring(colon + 1), 1));
  }

  private static int port(String name, String value, int lowest) {
    try {
      int port = Integer.parseInt(value);
      if (port >= lowest && port <= 65_535) {
        return port;
      }
    } catch (NumberFormatException e) {
      // is said below
    }
    throw bad(name, value + " is no port; give a number from " + lowest + " to 65535");
  }

  private static double seconds(String name, String value) {
    try {
      double seconds = Double.parseDouble(value);
      if (seconds > 0) {
        return seconds;
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
