package dev.fdfiber.examples;

import dev.fdfiber.examples.http.Out;
import dev.fdfiber.examples.http.Request;
import dev.fdfiber.examples.http.Response;
import dev.fdfiber.inspect.Inspector;
import dev.fdfiber.inspect.LivePage;
import dev.fdfiber.sock.Workers;
import java.net.UnknownHostException;
import java.util.Map;
import java.util.Optional;

/**
 * {@code GET /fibers}: the live page of the workers' own fibers, served by one of them. It shows
 * nothing while that one is held; {@link Inspector#serve} would, on a port and a thread of its own.
 */
final class Fibers {
  private static final String PATH = "/fibers";
  private static final String CLOSED =
      "others reach this server, so this takes a token; start it with --inspect-token\n";

  private final Optional<LivePage> page;

  /**
   * The page of some workers.
   *
   * @throws IllegalArgumentException if the token will not do
   * @throws UnknownHostException if the host does not resolve
   */
  Fibers(Options options, Workers workers) throws UnknownHostException {
    Inspector.Builder builder = Inspector.of(workers::schedulers).host(options.host());
    options.inspectToken().ifPresent(builder::token);
    this.page =
        options.inspectToken().isPresent() || builder.isLocal()
            ? Optional.of(builder.page())
            : Optional.empty();
  }

  Response answer(Request request) {
    if (page.isEmpty()) {
      return Response.text(403, CLOSED);
    }
    String below = request.path().substring(PATH.length());
    LivePage.Answer answer =
        page.get().answer(below, request.query(), request.fields().first("Host"));
    String type = answer.headers().getOrDefault("Content-Type", "text/plain");
    Response response =
        answer.stream().isEmpty()
            ? Response.of(answer.status(), type, answer.body())
            : Response.stream(type, out -> stream(out, answer.body(), answer.stream().get()));
    for (Map.Entry<String, String> header : answer.headers().entrySet()) {
      if (!header.getKey().equals("Content-Type")) {
        response = response.with(header.getKey(), header.getValue());
      }
    }
    return response;
  }

  private static void stream(Out out, String first, LivePage.Stream stream) throws Exception {
    out.write(first);
    do {
      out.write(stream.next());
    } while (out.pause(stream.pause()));
  }
}
