package dev.fdfiber.examples;

import dev.fdfiber.examples.http.Request;
import dev.fdfiber.examples.http.Response;
import dev.fdfiber.inspect.Inspector;
import dev.fdfiber.sock.Workers;
import java.io.IOException;
import java.util.Optional;

/**
 * {@code GET /fibers}: leads to the live page of the workers' fibers, and what is below it there.
 * The page has a port and a thread of its own, so that it stays live, and can be opened, while a
 * fiber holds a worker, which then leads nobody anywhere.
 */
final class Fibers implements AutoCloseable {
  private static final String PATH = "/fibers";
  private static final String CLOSED =
      "others reach this server, so this takes a token; start it with --inspect-token\n";

  private final String scheme;
  private final String host;
  private final Optional<Inspector> inspector;

  /**
   * Serves the page of some workers, on the host of theirs; to nobody if others reach that and
   * there is no token.
   *
   * @throws dev.fdfiber.ErrnoException {@code EADDRINUSE} if its port is taken, bind(2) ERRORS
   * @throws java.net.UnknownHostException if the host does not resolve
   */
  Fibers(Options options, Workers workers) throws IOException {
    Inspector.Builder builder = Inspector.of(workers::schedulers).host(options.host());
    options.inspect().token().ifPresent(builder::token);
    options.tls().ifPresent(tls -> builder.tls());
    this.scheme = options.scheme();
    this.host = options.authority();
    this.inspector =
        options.inspect().token().isPresent() || builder.isLocal()
            ? Optional.of(builder.serve(options.inspect().port()))
            : Optional.empty();
  }

  /** Where the page is, without its token; empty if nobody may see it. */
  Optional<String> url() {
    return inspector.map(open -> origin(host) + "/");
  }

  /** Leads to the page, by the name that the client has for this machine. */
  Response answer(Request request) {
    if (inspector.isEmpty()) {
      return Response.text(403, CLOSED);
    }
    String named = request.fields().first("Host").orElse("").replaceFirst(":[0-9]*$", "");
    String below = request.path().substring(PATH.length());
    String query = request.query().isEmpty() ? "" : "?" + request.query();
    String where = origin(named.isEmpty() ? host : named) + (below.isEmpty() ? "/" : below) + query;
    return Response.empty(307).with("Location", where).with("Cache-Control", "no-store");
  }

  private String origin(String name) {
    return scheme + name + ":" + inspector.orElseThrow().port();
  }

  @Override
  public void close() {
    inspector.ifPresent(Inspector::close);
  }
}
