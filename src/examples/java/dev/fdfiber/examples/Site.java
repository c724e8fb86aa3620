package dev.fdfiber.examples;

import dev.fdfiber.examples.http.Response;
import dev.fdfiber.examples.http.Routes;
import dev.fdfiber.examples.http.StaticFiles;
import dev.fdfiber.sock.Workers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/** What a worker serves. */
final class Site {
  private static final Set<String> GET = Set.of("GET", "HEAD");
  private static final Set<String> GET_POST = Set.of("GET", "HEAD", "POST");
  private static final Set<String> POST_PUT = Set.of("POST", "PUT");

  private Site() {}

  /** What an upstream serves that is nothing else. */
  static Routes upstream() {
    Routes routes = new Routes();
    routes.add("/upstream", GET, LongPoll.Upstream::answer);
    return routes;
  }

  /**
   * The routes of one worker; no two share them, so what is behind them needs no locks, but for
   * {@code fibers}, which shows all workers.
   */
  static Routes routes(Options options, Workers workers, Options.Upstream upstream, Fibers fibers)
      throws IOException {
    Batch batch = new Batch(workers::isStopping);
    LongPoll longPoll = new LongPoll(upstream);
    Routes routes = new Routes();
    routes.add("/", Page.response());
    routes.add("/hello", Response.text(200, "hello\n"));
    routes.add("/events", GET, Events::answer);
    routes.add("/poll", GET, longPoll::answer);
    routes.add("/upstream", GET, LongPoll.Upstream::answer);
    routes.add("/batch", GET_POST, batch::answer);
    routes.add("/digest", POST_PUT, Digest::answer);
    routes.add("/fibers", GET, fibers::answer);
    routes.addUnder("/fibers/", GET, fibers::answer);
    if (options.files().isPresent()) {
      Path directory = options.files().get();
      routes.addUnder("/files/", GET, new StaticFiles("/files/", directory));
    }
    return routes;
  }
}
