package dev.fdfiber.inspect;

import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.JvmSignals;
import dev.fdfiber.kernel.SignalNumbers;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A page that shows the fibers of a running program as they are: a table of them, a timeline, and
 * the stack of each.
 *
 * <pre>{@code
 * try (Inspector inspector = Inspector.serve(scheduler, 7070)) {
 *   System.out.println(inspector.url());
 *   scheduler.run();
 * }
 * }</pre>
 *
 * <p>Fibers serve it, but those of a scheduler of its own, on a daemon thread of its own. What the
 * page shows are snapshots that any thread may take, so it stays live, and says who is to blame,
 * while the scheduler that it shows is held by a fiber; and it takes no time of the thread that it
 * shows, but for the stack of a fiber that somebody clicks on, which the driver takes between two
 * resumes. Nothing is looked at unless a page is open, and then twice a second.
 *
 * <p>It listens on the loopback interface unless told otherwise, and then wants a token. Names and
 * whatever else comes from the program are shown as text, never as markup.
 */
public final class Inspector implements AutoCloseable {
  private final PageServer server;
  private final String url;

  private Inspector(Builder options, int port) throws IOException {
    this.server = new PageServer(options.page(), options.isTls, options.host, port);
    String host = options.host.contains(":") ? "[" + options.host + "]" : options.host;
    String query = options.token == null ? "" : "?token=" + options.token;
    this.url = (options.isTls ? "https://" : "http://") + host + ":" + server.port() + "/" + query;
  }

  /**
   * Serves the page on a port of the loopback interface until it is closed. Any thread.
   *
   * @param port 0 for any that is free; see {@link #port}
   * @throws dev.fdfiber.ErrnoException {@code EADDRINUSE} if it is taken, bind(2) ERRORS
   */
  public static Inspector serve(Scheduler scheduler, int port) throws IOException {
    Objects.requireNonNull(scheduler, "scheduler");
    return of(() -> List.of(scheduler)).serve(port);
  }

  /**
   * The choices for a page that shows several schedulers.
   *
   * @param schedulers those that are there now; asked by any thread, again and again
   */
  public static Builder of(Supplier<List<Scheduler>> schedulers) {
    return new Builder(Objects.requireNonNull(schedulers, "schedulers"));
  }

  /** The port that it listens on. */
  public int port() {
    return server.port();
  }

  /** Where the page is, with the token if there is one. */
  public String url() {
    return url;
  }

  /**
   * Ends it, and the connections of the pages that are open; the second time does nothing. By any
   * platform thread.
   */
  @Override
  public void close() {
    server.close();
  }

  /**
   * Writes a dump whenever a signal comes: {@code kill -USR1 <pid>}, where a JVM that does no more
   * is asked by {@code kill -QUIT} or {@code jcmd Thread.print}, which do not show fibers that
   * wait. SIGQUIT itself is the JVM's, and {@code jcmd} takes no commands of others. The signal is
   * handled on a thread of the JVM's, which no fiber can hold.
   *
   * @param signal such as {@code USR1}; {@code USR2} is JFR's while that samples
   * @param dump such as {@code scheduler::dump}
   * @param to such as {@code System.err::print}
   * @return what ends it
   * @throws IllegalArgumentException if there is no such signal
   * @throws IllegalStateException if the JVM keeps it for itself
   */
  public static Closer dumpOn(String signal, Supplier<String> dump, Consumer<String> to) {
    SignalNumbers.of(signal); // or it is no signal
    String name = SignalNumbers.plain(signal);
    Runnable action = () -> to.accept(dump.get());
    JvmSignals.add(name, action);
    return () -> JvmSignals.remove(name, action);
  }

  /** Ends what was begun; the second time does nothing. */
  @FunctionalInterface
  public interface Closer extends AutoCloseable {
    @Override
    void close();
  }

  /** The choices that a page is served with; each has a default. */
  public static final class Builder {
    private static final int SHORTEST_TOKEN = 16;

    private final Supplier<List<Scheduler>> schedulers;
    private String host = "127.0.0.1";
    private @Nullable String token;
    private boolean isTls;

    private Builder(Supplier<List<Scheduler>> schedulers) {
      this.schedulers = schedulers;
    }

    /** The address to listen on; by default 127.0.0.1. Any but a loopback address needs a token. */
    public Builder host(String host) {
      this.host = Objects.requireNonNull(host, "host");
      return this;
    }

    /**
     * What whoever opens the page has to know, as {@code ?token=} of its address. Only {@link #tls}
     * encrypts it on its way.
     *
     * @throws IllegalArgumentException if it is shorter than {@value #SHORTEST_TOKEN} characters,
     *     or has others than letters, digits, {@code -} and {@code _}
     */
    public Builder token(String token) {
      if (token.length() < SHORTEST_TOKEN || !token.matches("[A-Za-z0-9_-]*")) {
        throw new IllegalArgumentException(
            "a token has at least " + SHORTEST_TOKEN + " letters, digits, - and _");
      }
      this.token = token;
      return this;
    }

    /**
     * Speaks TLS, as whom {@link dev.fdfiber.sock.Sock#tlsServerInit} has said; before that no
     * handshake succeeds.
     */
    public Builder tls() {
      this.isTls = true;
      return this;
    }

    /**
     * Serves the page until it is closed.
     *
     * @param port 0 for any that is free
     * @throws IllegalStateException if the host is no loopback address and there is no token
     * @throws UnknownHostException if the host does not resolve
     * @throws dev.fdfiber.ErrnoException {@code EADDRINUSE} if it is taken, bind(2) ERRORS
     */
    public Inspector serve(int port) throws IOException {
      return new Inspector(this, port);
    }

    /**
     * If no other machine reaches the host, so that it takes no token.
     *
     * @throws UnknownHostException if the host does not resolve
     */
    public boolean isLocal() throws UnknownHostException {
      return InetAddress.getByName(host).isLoopbackAddress();
    }

    /**
     * The page without a server, for who has one.
     *
     * @throws IllegalStateException if the host, where that server listens, is no loopback address
     *     and there is no token
     * @throws UnknownHostException if the host does not resolve
     */
    public LivePage page() throws UnknownHostException {
      boolean local = isLocal();
      if (!local && token == null) {
        throw new IllegalStateException(
            "whoever reaches " + host + " could see every fiber; give a token, or a loopback host");
      }
      return new LivePage(new Guard(local, host, Optional.ofNullable(token)), schedulers);
    }
  }
}
