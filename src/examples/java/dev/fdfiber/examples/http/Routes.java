package dev.fdfiber.examples.http;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which handler answers which path. Fill it before it serves. */
public final class Routes implements Handler {
  private static final Set<String> GET = Set.of("GET", "HEAD");

  private record Route(Set<String> methods, Handler handler) {}

  private final Map<String, Route> exact = new LinkedHashMap<>();
  private final Map<String, Route> under = new LinkedHashMap<>();

  /** A handler for a path. */
  public void add(String path, Set<String> methods, Handler handler) {
    exact.put(path, new Route(methods, handler));
  }

  /** The same answer, always, to GET and HEAD. */
  public void add(String path, Response answer) {
    add(path, GET, new Fixed(answer));
  }

  /** A handler for all paths that begin so, down to a slash. */
  public void addUnder(String prefix, Set<String> methods, Handler handler) {
    under.put(prefix, new Route(methods, handler));
  }

  private record Fixed(Response answer) implements Handler {
    @Override
    public Response answer(Request request) {
      return answer;
    }

    @Override
    public boolean isInstant(Request request) {
      return true;
    }
  }

  @Override
  public Response answer(Request request) throws Exception {
    Route route = route(request.path());
    if (route == null) {
      return Response.text(404, "there is nothing here; see " + exact.keySet() + "\n");
    }
    if (!route.methods.contains(request.method())) {
      String allowed = String.join(", ", new TreeSet<>(route.methods));
      return Response.text(405, "allowed here: " + allowed + "\n").with("Allow", allowed);
    }
    return route.handler.answer(request);
  }

  @Override
  public boolean isInstant(Request request) {
    Route route = exact.get(request.path());
    return route != null && route.handler.isInstant(request);
  }

  private @Nullable Route route(String path) {
    Route route = exact.get(path);
    for (Map.Entry<String, Route> entry : under.entrySet()) {
      if (route != null) {
        break;
      }
      route = path.startsWith(entry.getKey()) ? entry.getValue() : null;
    }
    return route;
  }
}
