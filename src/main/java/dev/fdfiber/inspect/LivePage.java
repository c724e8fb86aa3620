package dev.fdfiber.inspect;

import dev.fdfiber.FiberInfo;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.OpenDescriptors;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The page and what it asks for, apart from how requests come and answers go: {@link Inspector}
 * serves it, and so may any HTTP server, below whatever path. Any thread.
 *
 * <p>Below its path there are {@code /live}, the stream; {@code /fiber}, one fiber with its stack;
 * {@code /dump}, everything as text.
 */
public final class LivePage {
  private static final String HTML = resource();
  private static final String POLICY =
      "default-src 'none'; script-src '%s'; style-src '%s'; connect-src 'self'; img-src data:;"
              .formatted(hash("script"), hash("style"))
          + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private final Guard guard;
  private final Sampler sampler;

  LivePage(Guard guard, Supplier<List<Scheduler>> schedulers) {
    this.guard = guard;
    this.sampler = new Sampler(schedulers);
  }

  /**
   * What to answer.
   *
   * @param status as in HTTP
   * @param headers by their names, {@code Content-Type} among them
   * @param body all of it, or what comes before the stream
   * @param stream what follows, if it does not end by itself
   */
  public record Answer(
      int status, Map<String, String> headers, String body, Optional<Stream> stream) {}

  /** What a page gets as long as it is open. For one reader. */
  public interface Stream {
    /** What to send next. Does not suspend. */
    String next();

    /** How long to wait before the next. */
    Duration pause();
  }

  /**
   * Answers a request. Suspends for {@code /fiber} and {@code /dump}, at most a second for each
   * scheduler, while the driver is asked for stacks.
   *
   * @param path what follows the path of the page, nothing or {@code /} for the page itself
   * @param query what follows the question mark, as it came; may be empty
   * @param host the header of that name
   */
  public Answer answer(String path, String query, Optional<String> host) {
    Map<String, String> parameters = parameters(query);
    Optional<String> refusal = guard.refuses(host, parameters.getOrDefault("token", ""));
    if (refusal.isPresent()) {
      return text(403, refusal.get() + "\n");
    }
    return switch (path) {
      case "", "/" -> answer(200, "text/html; charset=utf-8", HTML, Optional.empty());
      case "/live" ->
          answer(
              200,
              "text/event-stream; charset=utf-8",
              "retry: 1000\n\n",
              Optional.of(new Feed(sampler)));
      case "/fiber" -> fiber(parameters);
      case "/dump" -> text(200, dump());
      default -> text(404, "There is no " + path + " here.\n");
    };
  }

  private static Answer text(int status, String text) {
    return answer(status, "text/plain; charset=utf-8", text, Optional.empty());
  }

  private static Answer answer(int status, String type, String body, Optional<Stream> stream) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Content-Type", type);
    headers.put("Content-Security-Policy", POLICY);
    headers.put("Cache-Control", "no-store");
    headers.put("X-Content-Type-Options", "nosniff");
    headers.put("Referrer-Policy", "no-referrer");
    headers.put("Cross-Origin-Resource-Policy", "same-origin");
    return new Answer(status, headers, body, stream);
  }

  private String dump() {
    StringBuilder all = new StringBuilder();
    sampler.schedulers().forEach(scheduler -> all.append(scheduler.dump()));
    return all.toString();
  }

  // ---- one fiber

  private Answer fiber(Map<String, String> parameters) {
    List<Scheduler> schedulers = sampler.schedulers();
    int index = number(parameters.get("scheduler"));
    int id = number(parameters.get("id"));
    if (index < 0 || index >= schedulers.size() || id < 0) {
      return text(404, "There is no such scheduler.\n");
    }
    Scheduler scheduler = schedulers.get(index);
    List<FiberInfo> fibers = scheduler.fibers();
    for (FiberInfo fiber : fibers) {
      if (fiber.id() == id) {
        String json = json(scheduler, fiber, fibers, scheduler.stack(id));
        return answer(200, "application/json", json, Optional.empty());
      }
    }
    return text(404, "That fiber has ended.\n");
  }

  private static String json(
      Scheduler scheduler,
      FiberInfo fiber,
      List<FiberInfo> fibers,
      Optional<List<StackTraceElement>> stack) {
    List<List<String>> facts = new ArrayList<>();
    facts.add(List.of("Number", fiber.id() + " of scheduler " + scheduler.info().name()));
    facts.add(List.of("State", fiber.state() + " for " + seconds(fiber.nanosInState())));
    OpenDescriptors descriptors = new OpenDescriptors();
    for (int fd : fiber.fds()) {
      String mode = Texts.mode(fiber.mode());
      facts.add(List.of("Waits for", "fd " + fd + mode + ", " + descriptors.describe(fd)));
      for (int other : descriptors.otherEnds(fd)) {
        facts.add(List.of("Its other end", "fd " + other));
      }
    }
    fiber.joins().ifPresent(id -> facts.add(List.of("Waits for", named(id, fibers))));
    fiber.nanosLeft().ifPresent(left -> facts.add(List.of("Limit", "in " + seconds(left))));
    fiber.parent().ifPresent(id -> facts.add(List.of("Forked by", named(id, fibers))));
    JsonWriter json = new JsonWriter().open('{');
    json.name("name").value(fiber.name());
    json.name("facts").open('[');
    for (List<String> fact : facts) {
      json.open('[').value(fact.get(0)).value(fact.get(1)).close(']');
    }
    json.close(']').name("stack").open('[');
    List<StackTraceElement> frames = stack.orElse(List.of());
    frames.forEach(frame -> json.value(frame.toString()));
    if (frames.isEmpty()) {
      json.value(
          stack.isPresent()
              ? "It has not run yet."
              : "The driver does not come to take the stack: a fiber holds it.");
    }
    return json.close(']').close('}').toString();
  }

  private static String named(long id, List<FiberInfo> fibers) {
    return fibers.stream()
        .filter(fiber -> fiber.id() == id)
        .map(fiber -> "fiber " + fiber.name() + " (" + id + ")")
        .findFirst()
        .orElse("fiber " + id + ", which has ended");
  }

  private static String seconds(long nanos) {
    return String.format(Locale.ROOT, "%.3f s", nanos / 1e9);
  }

  // ---- requests

  private static Map<String, String> parameters(String query) {
    Map<String, String> parameters = new LinkedHashMap<>();
    for (String pair : query.split("&", -1)) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        try {
          String value = URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8);
          parameters.putIfAbsent(pair.substring(0, equals), value);
        } catch (IllegalArgumentException e) {
          // no percent encoding: as if it were not there
        }
      }
    }
    return parameters;
  }

  private static int number(@Nullable String text) {
    return text != null && text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : -1;
  }

  // ---- the page

  private static String resource() {
    try (InputStream in = LivePage.class.getResourceAsStream("live.html")) {
      if (in == null) {
        throw new IllegalStateException("live.html is missing beside " + LivePage.class);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** So that no other script or style is taken: the hash of the one there is. */
  private static String hash(String element) {
    String open = "<" + element + ">";
    int from = HTML.indexOf(open) + open.length();
    String content = HTML.substring(from, HTML.indexOf("</" + element + ">", from));
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8));
      return "sha256-" + Base64.getEncoder().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
