package dev.fdfiber.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Is the example's HTTP server, with one worker, good company for Netty's hello? {@code wrk -t1
 * -c64} asks both in turns, and the example's also beside idle connections. See {@code bench/wrk}.
 *
 * <p>All servers stay for all rounds, so a turn can be short, and the turns of a round lie close
 * together. The CPU time of a request says more than the requests a second where others run too.
 */
final class Wrk {
  private static final Pattern URL = Pattern.compile("https?://127\\.0\\.0\\.1:(\\d+)/.*");
  private static final Pattern RATE = Pattern.compile("Requests/sec:\\s+([0-9.]+)");
  private static final Pattern REQUESTS = Pattern.compile("(\\d+) requests in");
  private static final Pattern P50 = Pattern.compile("\\s50%\\s+([0-9.]+)(us|ms|s)\\b");
  private static final Pattern P99 = Pattern.compile("\\s99%\\s+([0-9.]+)(us|ms|s)\\b");
  private static final Pattern ERRORS =
      Pattern.compile("Socket errors: .*|Non-2xx or 3xx responses: .*");
  private static final String GET = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
  private static final String EXAMPLE = "dev.fdfiber.examples.Worker";

  private static final int WARM_UP_SECONDS = 8;

  private final int rounds;
  private final int seconds;
  private final int idle;

  private Wrk(int rounds, int seconds, int idle) {
    this.rounds = rounds;
    this.seconds = seconds;
    this.idle = idle;
  }

  /** Who is asked: a running server, and the connections that are idle beside. */
  private record Peer(String name, Process server, int port, List<Socket> idle)
      implements AutoCloseable {
    static Peer start(String name, List<String> command, int idle) throws IOException {
      ProcessBuilder builder = new ProcessBuilder(command);
      // Netty tells of every connection that wrk breaks off at its end.
      boolean isOurs = command.contains(EXAMPLE);
      builder.redirectError(isOurs ? Redirect.INHERIT : Redirect.DISCARD);
      Process server = builder.start();
      Peer peer =
          new Peer(
              name, server, portOf(server.inputReader(StandardCharsets.UTF_8)), new ArrayList<>());
      for (int i = 0; i < idle; i++) {
        peer.idle.add(keptAlive(peer.port));
      }
      return peer;
    }

    Answer ask(int seconds) throws Exception {
      Duration before = server.info().totalCpuDuration().orElseThrow();
      String said = wrk(port, seconds);
      Duration cpu = server.info().totalCpuDuration().orElseThrow().minus(before);
      return Answer.parse(said, cpu);
    }

    @Override
    public void close() throws IOException {
      server.destroyForcibly().onExit().join();
      for (Socket connection : idle) {
        connection.close();
      }
    }
  }

  /** What wrk says, latencies in milliseconds; and CPU of the server in microseconds a request. */
  private record Answer(double rate, double p50, double p99, double cpu, String errors) {
    static Answer parse(String text, Duration cpu) throws IOException {
      Matcher errors = ERRORS.matcher(text);
      return new Answer(
          number(RATE, text),
          millis(P50, text),
          millis(P99, text),
          cpu.toNanos() / 1e3 / number(REQUESTS, text),
          errors.find() ? errors.group() : "none");
    }

    private static double number(Pattern which, String text) throws IOException {
      Matcher number = which.matcher(text);
      if (!number.find()) {
        throw new IOException("wrk says:\n" + text);
      }
      return Double.parseDouble(number.group(1));
    }

    private static double millis(Pattern which, String text) throws IOException {
      Matcher time = which.matcher(text);
      if (!time.find()) {
        throw new IOException("wrk says:\n" + text);
      }
      double value = Double.parseDouble(time.group(1));
      return switch (time.group(2)) {
        case "us" -> value / 1000;
        case "ms" -> value;
        default -> value * 1000;
      };
    }
  }

  /** Arguments: rounds, seconds, idle connections. */
  public static void main(String[] args) throws Exception {
    new Wrk(Integer.parseInt(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2])).run();
  }

  private void run() throws Exception {
    List<String> example = new ArrayList<>(Jvm.command(List.of(), ServerProgram.class, List.of()));
    example.set(example.size() - 1, EXAMPLE);
    example.addAll(List.of("--port", "0"));
    List<Peer> peers = new ArrayList<>();
    List<List<Answer>> answers = new ArrayList<>();
    try {
      peers.add(Peer.start("fdfiber", example, 0));
      peers.add(Peer.start("Netty, its HTTP codec", netty("netty-codec"), 0));
      peers.add(Peer.start("Netty, framing only", netty("netty"), 0));
      peers.add(Peer.start("fdfiber, " + idle + " idle", example, idle));
      for (Peer peer : peers) {
        peer.ask(WARM_UP_SECONDS);
        answers.add(new ArrayList<>());
      }
      System.out.printf(
          "%-24s %12s %9s %9s %12s  %s%n",
          "", "requests/s", "50 % ms", "99 % ms", "CPU us each", "errors");
      for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < peers.size(); i++) {
          Answer answer = peers.get(i).ask(seconds);
          answers.get(i).add(answer);
          print(peers.get(i).name, answer);
        }
      }
    } finally {
      for (Peer peer : peers) {
        peer.close();
      }
    }
    tell(peers, answers);
  }

  private void tell(List<Peer> peers, List<List<Answer>> answers) {
    System.out.println("\nmedians of " + rounds);
    for (int i = 0; i < peers.size(); i++) {
      List<Answer> of = answers.get(i);
      print(
          peers.get(i).name,
          new Answer(
              median(of, Answer::rate),
              median(of, Answer::p50),
              median(of, Answer::p99),
              median(of, Answer::cpu),
              ""));
    }
    System.out.println("\nratios within a round, their median and how far they lie apart");
    ratio("p99 to Netty with its codec", answers.get(0), answers.get(1), Answer::p99, "at most 2");
    ratio("p99 to Netty, framing only", answers.get(0), answers.get(2), Answer::p99, "");
    ratio("requests/s to Netty with its codec", answers.get(0), answers.get(1), Answer::rate, "");
    ratio("requests/s to Netty, framing only", answers.get(0), answers.get(2), Answer::rate, "");
    ratio("requests/s beside idle", answers.get(3), answers.get(0), Answer::rate, "at least 0.9");
    ratio("CPU a request beside idle", answers.get(3), answers.get(0), Answer::cpu, "");
    ratio("CPU to Netty with its codec", answers.get(0), answers.get(1), Answer::cpu, "");
    ratio("CPU to Netty, framing only", answers.get(0), answers.get(2), Answer::cpu, "");
  }

  private static List<String> netty(String kind) {
    return Jvm.command(List.of(), ServerProgram.class, List.of(kind, "http"));
  }

  private static void print(String name, Answer a) {
    System.out.printf(
        Locale.ROOT,
        "%-24s %,12.0f %9.2f %9.2f %12.2f  %s%n",
        name,
        a.rate,
        a.p50,
        a.p99,
        a.cpu,
        a.errors);
  }

  private static double median(List<Answer> answers, ToDoubleFunction<Answer> of) {
    return median(answers.stream().mapToDouble(of).toArray());
  }

  private static void ratio(
      String name,
      List<Answer> ours,
      List<Answer> theirs,
      ToDoubleFunction<Answer> of,
      String goal) {
    double[] ratios = new double[ours.size()];
    double least = Double.POSITIVE_INFINITY;
    double most = 0;
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = of.applyAsDouble(ours.get(i)) / of.applyAsDouble(theirs.get(i));
      least = Math.min(least, ratios[i]);
      most = Math.max(most, ratios[i]);
    }
    System.out.printf(
        Locale.ROOT, "%-36s %.2f (%.2f to %.2f)  %s%n", name, median(ratios), least, most, goal);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** The first line that is a port, or that ends in a URL. */
  private static int portOf(BufferedReader said) throws IOException {
    for (String line; (line = said.readLine()) != null; ) {
      Matcher url = URL.matcher(line.substring(line.lastIndexOf(' ') + 1));
      if (url.matches()) {
        return Integer.parseInt(url.group(1));
      }
      if (line.matches("\\d+")) {
        return Integer.parseInt(line);
      }
    }
    throw new IOException("the server ended without a word");
  }

  /** A connection that has got an answer, and stays. */
  private static Socket keptAlive(int port) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.getOutputStream().write(GET.getBytes(StandardCharsets.US_ASCII));
    if (socket.getInputStream().read(new byte[1024]) <= 0) {
      throw new IOException("the server closed a connection");
    }
    return socket;
  }

  private static String wrk(int port, int seconds) throws Exception {
    return Commands.output(
        List.of(
            "wrk",
            "-t1",
            "-c64",
            "-d" + seconds + "s",
            "--latency",
            "http://127.0.0.1:" + port + "/hello"));
  }
}
