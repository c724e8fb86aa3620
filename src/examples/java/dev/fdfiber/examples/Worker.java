package dev.fdfiber.examples;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.examples.http.HttpService;
import dev.fdfiber.examples.http.Routes;
import dev.fdfiber.inspect.Inspector;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.sock.Workers;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * An HTTP server on plain descriptors, one thread by default: each connection has a fiber of its
 * own. It shows side by side what the scheduler is for: a stream ({@link Events}), a long-poll
 * ({@link LongPoll}) and a batch ({@link Batch}). None of them holds the others.
 *
 * <p>{@link Workers} accepts and stops, {@code dev.fdfiber.examples.http} speaks HTTP, {@link Site}
 * says what is served; this puts them together.
 */
public final class Worker implements AutoCloseable {
  private final Workers workers;
  private final Fibers fibers;
  private final Optional<Workers> plainUpstream; // LongPoll asks plainly, where this speaks TLS
  private final List<HttpService> services = new ArrayList<>();

  private Worker(Options options, Setup setup, Optional<Workers> plainUpstream) throws IOException {
    this.plainUpstream = plainUpstream;
    Workers.Builder builder =
        Workers.builder()
            .host(options.host())
            .port(options.port())
            .count(options.workers())
            .grace(options.grace())
            .log(Worker::say)
            .handler(this::serve);
    setup.builder.accept(builder);
    workers = builder.build();
    try {
      fibers = fibers(options, workers);
    } catch (IOException | RuntimeException e) {
      workers.close();
      throw e;
    }
    try {
      for (int i = 0; i < options.workers(); i++) {
        Routes routes = Site.routes(options, workers, upstreamOf(options), fibers);
        setup.routes.accept(routes);
        services.add(new HttpService(routes, options.limits(), options.tls().isPresent()));
      }
    } catch (IOException | RuntimeException e) {
      workers.close();
      fibers.close();
      throw e;
    }
  }

  private static Fibers fibers(Options options, Workers workers) throws IOException {
    try {
      return new Fibers(options, workers);
    } catch (ErrnoException e) {
      int port = options.inspect().port();
      throw new IOException("--inspect-port " + port + ": " + e.getMessage(), e);
    }
  }

  private static Workers upstream(Options options) throws IOException {
    HttpService service = new HttpService(Site.upstream(), options.limits());
    return Workers.builder()
        .name("upstream")
        .count(1)
        .systemd(false)
        .grace(options.grace())
        .log(Worker::say)
        .handler(service::serve)
        .build();
  }

  /** Whom long-polls ask. */
  private Options.Upstream upstreamOf(Options options) {
    return options
        .upstream()
        .orElseGet(() ->
            plainUpstream
                .map(plain -> new Options.Upstream("127.0.0.1", plain.port()))
                .orElse(new Options.Upstream(options.host(), workers.port())));
  }

  /**
   * What is set up beside the options.
   *
   * @param builder adjusts the workers
   * @param routes adds to what each of them serves
   */
  record Setup(Consumer<Workers.Builder> builder, Consumer<Routes> routes) {
    static final Setup NONE = new Setup(builder -> {}, routes -> {});
  }

  /** Listens. Nothing is served before {@link #start}. */
  public static Worker open(Options options) throws IOException {
    return open(options, Setup.NONE);
  }

  static Worker open(Options options, Setup setup) throws IOException {
    Optional<Workers> plainUpstream = Optional.empty();
    if (options.tls().isPresent()) {
      Sock.tlsServerInit(options.tls().get().cert(), options.tls().get().key());
      plainUpstream = options.upstream().isEmpty() ? Optional.of(upstream(options)) : plainUpstream;
    }
    try {
      return new Worker(options, setup, plainUpstream);
    } catch (IOException | RuntimeException e) {
      plainUpstream.ifPresent(Workers::close);
      throw e;
    }
  }

  /** The port that it listens on. */
  public int port() {
    return workers.port();
  }

  /** Where the page of its fibers is, without its token; empty if nobody may see it. */
  public Optional<String> fibers() {
    return fibers.url();
  }

  /** Serves, on threads of its own. */
  public void start() {
    plainUpstream.ifPresent(Workers::start);
    workers.start();
  }

  /** Makes it end: what is being served has the grace period for that. Any thread. */
  public void stop() {
    workers.stop();
  }

  /** Waits until it has ended; empty if that was asked for, else why it did. */
  public Optional<Throwable> awaitEnd() throws InterruptedException {
    workers.awaitEnd();
    return workers.failure();
  }

  /** Ends it and waits for that; the second time does nothing. */
  @Override
  public void close() {
    workers.close();
    fibers.close();
    plainUpstream.ifPresent(Workers::close);
  }

  private void serve(Workers.Connection connection) throws Exception {
    services.get(connection.worker()).serve(connection);
  }

  // ---- the program

  /** Runs a worker until SIGTERM or Ctrl-C; {@code --help} tells the options. */
  public static void main(String[] args) throws InterruptedException {
    int status = main(List.of(args), System.out, System.err);
    if (status != 0) {
      System.exit(status);
    }
  }

  private static int main(List<String> words, PrintStream out, PrintStream err)
      throws InterruptedException {
    if (words.contains("--help")) {
      out.print(Options.USAGE);
      return 0;
    }
    Options options;
    try {
      options = Options.parse(words);
    } catch (IllegalArgumentException e) {
      err.println("fdfiber worker: " + e.getMessage());
      return 2;
    }
    Optional<Worker> worker = openOrSay(options);
    if (worker.isEmpty()) {
      return 1;
    }
    try (Worker open = worker.get()) {
      Inspector.dumpOn("USR1", open.workers::dump, err::print); // until the program ends
      open.start();
      String origin = options.scheme() + options.authority() + ":" + open.port();
      out.println("fdfiber worker: " + origin + "/");
      open.fibers().ifPresent(url -> out.println("fdfiber worker: its fibers: " + url));
      out.flush();
      Optional<Throwable> failure = open.awaitEnd();
      if (failure.isPresent()) {
        say("nothing accepts any more; see above");
        return 1;
      }
    }
    return 0;
  }

  private static Optional<Worker> openOrSay(Options options) {
    try {
      return Optional.of(
          open(options, new Setup(Workers.Builder::stopOnSignals, Setup.NONE.routes)));
    } catch (ErrnoException e) {
      boolean taken = e.errno() == Errno.EADDRINUSE;
      say(taken ? taken(options.port()) : "cannot listen: " + e.getMessage());
    } catch (NoSuchFileException e) {
      say("cannot start: there is no " + e.getFile());
    } catch (IOException | IllegalStateException | UnsupportedOperationException e) {
      say("cannot start: " + e.getMessage());
    }
    return Optional.empty();
  }

  private static String taken(int port) {
    return "port " + port + " is taken; give another with --port, or --port 0 for any free one";
  }

  private static void say(String text) {
    System.err.println("fdfiber worker: " + text);
  }
}
