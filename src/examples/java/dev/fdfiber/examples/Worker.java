package dev.fdfiber.examples;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.examples.http.HttpService;
import dev.fdfiber.examples.http.Response;
import dev.fdfiber.examples.http.Routes;
import dev.fdfiber.examples.http.StaticFiles;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * An HTTP worker on one thread and plain descriptors: a fiber accepts, and each connection has a
 * fiber of its own. It shows side by side what the scheduler is for: a stream ({@link Events}), a
 * long-poll ({@link LongPoll}) and a batch ({@link Batch}). None of them holds the others.
 *
 * <p>The thread that calls {@link #run} drives everything. Any thread may {@link #stop} it.
 */
public final class Worker implements AutoCloseable {
  private static final Set<String> GET = Set.of("GET", "HEAD");
  private static final Set<String> GET_POST = Set.of("GET", "HEAD", "POST");
  private static final Set<String> POST_PUT = Set.of("POST", "PUT");
  private static final long HOOK_LIMIT_MILLIS = 2000;

  private final Scheduler scheduler;
  private final Options options;
  private final int listener;
  private final int port;
  private final Routes routes = new Routes();
  private final HttpService service;
  private volatile boolean stopping;
  private boolean closed;

  private Worker(Scheduler scheduler, Options options, int listener) throws IOException {
    this.scheduler = scheduler;
    this.options = options;
    this.listener = listener;
    this.port = Sock.localPort(listener);
    this.service = new HttpService(routes, options.limits());
    addRoutes();
  }

  /** Listens, with a scheduler of its own. Nothing is served before {@link #run}. */
  public static Worker open(Options options) throws IOException {
    return open(options, Scheduler.builder().name("worker").build(), Worker::say);
  }

  /**
   * Like {@link #open(Options)}, on a scheduler which the worker closes with itself.
   *
   * @param log gets what the operator should know
   */
  public static Worker open(Options options, Scheduler scheduler, Consumer<String> log)
      throws IOException {
    int listener = Sock.listen(options.host(), options.port(), false, 1024);
    Worker worker = new Worker(scheduler, options, listener);
    Acceptor acceptor = new Acceptor(listener, worker::connected, log);
    scheduler.spawn("accept " + listener, () -> acceptor.run(worker::isStopping));
    return worker;
  }

  private void addRoutes() throws IOException {
    Batch batch = new Batch(this::isStopping);
    Options.Upstream itself = new Options.Upstream(options.host(), port);
    LongPoll longPoll = new LongPoll(options.upstream().orElse(itself));
    routes.add("/", Page.response());
    routes.add("/hello", Response.text(200, "hello\n"));
    routes.add("/events", GET, Events::answer);
    routes.add("/poll", GET, longPoll::answer);
    routes.add("/upstream", GET, LongPoll.Upstream::answer);
    routes.add("/batch", GET_POST, batch::answer);
    if (options.files().isPresent()) {
      routes.addUnder("/files/", GET, new StaticFiles("/files/", options.files().get()));
    }
    routes.add("/digest", POST_PUT, Digest::answer);
    routes.add("/fibers", GET, request -> Response.text(200, scheduler.dump()));
  }

  /** What it serves; more may be added before {@link #run}. */
  Routes routes() {
    return routes;
  }

  /** The port that it listens on. */
  public int port() {
    return port;
  }

  /** Serves until it is stopped. The calling thread carries every fiber. */
  public void run() {
    scheduler.run();
  }

  /** Makes {@link #run} return soon. Any thread. */
  public void stop() {
    stopping = true;
    scheduler.stop();
  }

  private boolean isStopping() {
    return stopping;
  }

  /** Ends every connection and stops listening; the second time does nothing. */
  @Override
  public void close() throws IOException {
    stopping = true;
    scheduler.close();
    if (!closed) {
      closed = true;
      Sock.close(listener);
    }
  }

  // ---- a connection

  private void connected(int fd) {
    try {
      scheduler.spawn("http " + fd, () -> serve(fd));
    } catch (IllegalStateException closing) {
      scheduler.kernel().close(fd);
    }
  }

  private void serve(int fd) throws Exception {
    try {
      service.serve(fd, limit -> !stopping && Scheduler.ioWait(fd, Scheduler.READ, limit) != 0);
    } finally {
      Sock.close(fd);
    }
  }

  // ---- the program

  /** Runs a worker until SIGTERM or Ctrl-C; {@code --help} tells the options. */
  public static void main(String[] args) throws IOException {
    int status = main(List.of(args), System.out, System.err);
    if (status != 0) {
      System.exit(status);
    }
  }

  private static int main(List<String> words, PrintStream out, PrintStream err) throws IOException {
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
      stopAtSignal(open);
      out.println("fdfiber worker: http://" + authority(options.host(), open.port()) + "/");
      out.flush();
      open.run();
      if (!open.isStopping()) {
        say("nothing accepts any more; see above");
        return 1;
      }
    }
    return 0;
  }

  private static Optional<Worker> openOrSay(Options options) {
    try {
      return Optional.of(open(options));
    } catch (ErrnoException e) {
      boolean taken = e.errno() == Errno.EADDRINUSE;
      say(taken ? taken(options.port()) : "cannot listen: " + e.getMessage());
    } catch (IOException | IllegalStateException | UnsupportedOperationException e) {
      say("cannot start: " + e.getMessage());
    }
    return Optional.empty();
  }

  private static String taken(int port) {
    return "port " + port + " is taken; give another with --port, or --port 0 for any free one";
  }

  private static String authority(String host, int port) {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }

  /** At a signal the JVM ends when its hooks have; this one gives the main thread time to close. */
  private static void stopAtSignal(Worker worker) {
    Thread main = Thread.currentThread();
    Runnable hook =
        () -> {
          worker.stop();
          try {
            main.join(HOOK_LIMIT_MILLIS);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        };
    try {
      Runtime.getRuntime().addShutdownHook(new Thread(hook, "stop"));
    } catch (IllegalStateException signalCameFirst) {
      worker.stop();
    }
  }

  private static void say(String text) {
    System.err.println("fdfiber worker: " + text);
  }
}
