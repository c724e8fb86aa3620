package dev.fdfiber.examples;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Which handler answers which path. */
final class Routes {
  /** Answers a request; may suspend. What it throws ends its connection with a 500. */
  @FunctionalInterface
  interface Handler {
    Response answer(Request request) throws Exception;
  }

  private record Route(Set<String> methods, Handler handler) {}

  private final Map<String, Route> routes = new LinkedHashMap<>();

  void add(String path, Set<String> methods, Handler handler) {
    routes.put(path, new Route(methods, handler));
  }

  Response answer(Request request) throws Exception {
    Route route = routes.get(request.path);
    if (route == null) {
      return Response.text(404, "there is nothing here; see " + routes.keySet() + "\n");
    }
    if (!route.methods.contains(request.method)) {
      String allowed = String.join(", ", new TreeSet<>(route.methods));
      return Response.text(405, "allowed here: " + allowed + "\n").with("Allow", allowed);
    }
    return route.handler.answer(request);
  }
}
