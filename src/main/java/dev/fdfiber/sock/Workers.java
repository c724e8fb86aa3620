package dev.fdfiber.sock;

import dev.fdfiber.Scheduler;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A server on several cores: each worker is a thread with a scheduler and a listening socket of its
 * own, and every connection is served by a fiber of the worker that accepted it. Fibers never
 * migrate, so what a worker's fibers share needs no locks.
 *
 * <pre>{@code
 * try (Workers workers = Workers.builder().port(8080).stopOnSignals().handler(c -> {
 *       while (c.awaitRequest(Duration.ofSeconds(60))) {
 *         byte[] request = Sock.readRequest(c.fd());
 *         ...
 *       }
 *     }).build()) {
 *   workers.start();
 *   workers.awaitEnd();
 * }
 * }</pre>
 *
 * <p>The kernel spreads connections over the workers, {@code SO_REUSEPORT}, socket(7). Listening
 * sockets that systemd handed over are taken instead when there are any, sd_listen_fds(3); then all
 * workers accept from them.
 *
 * <p>A handler that throws ends its connection and nothing else. A worker whose loop fails is
 * reported and starts again; the others go on meanwhile.
 */
public final class Workers implements AutoCloseable {
  /** Serves a connection. */
  @FunctionalInterface
  public interface Handler {
    /**
     * Called in a fiber for each connection. When it returns or throws, the descriptor is closed;
     * it must not close it itself. What it throws goes to the scheduler's {@code onUncaught}.
     */
    void handle(Connection connection) throws Exception;
  }

  /** A connection that was accepted; for the fibers of its worker only. */
  public interface Connection {
    /** The descriptor of its socket: close-on-exec, non-blocking, {@code TCP_NODELAY}. */
    int fd();

    /** Which worker it belongs to, from 0 on. */
    int worker();

    /** The scheduler of its worker. */
    Scheduler scheduler();

    /** If the workers are to end, so that this answer should be the last. Does not suspend. */
    boolean isStopping();

    /**
     * Suspends until the client sends something, or ends the connection. The connection is idle
     * meanwhile: a stop ends it, but what the client had sent by then is still to be served. One
     * that is younger than a second and has sent nothing yet gets the rest of that second. What TLS
     * has decrypted already counts, as in {@link Sock#awaitReadable}.
     *
     * @param idleLimit how long to wait at most; negative waits without end
     * @return if there is something to read; false when the time was up, or at a stop
     * @throws dev.fdfiber.ErrnoException {@code EBADF} if the descriptor is not open
     * @throws java.io.InterruptedIOException if the fiber is cancelled, as at the end of the grace
     *     period; a test's own implementation may throw InterruptedException
     */
    boolean awaitRequest(Duration idleLimit) throws IOException, InterruptedException;
  }

  /** Who has not ended so long after the grace period is held by a fiber. */
  private static final Duration LATE = Duration.ofSeconds(7);

  private final String name;
  private final boolean stopOnSignals;
  private final Listeners listeners;
  private final List<Worker> workers;
  private final AtomicInteger running;
  private final CountDownLatch rehearsing;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Runnable onSignal = this::signalled;
  private final ReentrantLock lock = new ReentrantLock();
  private final Duration gracePeriod;

  private boolean started;
  private volatile @Nullable Thread watcher;
  private volatile Duration grace;
  private volatile @Nullable Throwable failure;

  private Workers(Builder options, Handler handler, Listeners listeners, List<int[]> opened) {
    this.name = options.name;
    this.stopOnSignals = options.stopOnSignals;
    this.gracePeriod = options.grace;
    this.grace = options.grace;
    this.listeners = listeners;
    this.running = new AtomicInteger(opened.size());
    this.rehearsing = new CountDownLatch(opened.size());
    List<Worker> all = new ArrayList<>();
    for (int i = 0; i < opened.size(); i++) {
      all.add(new Worker(this, options, handler, i, opened.get(i), listeners));
    }
    this.workers = List.copyOf(all);
  }

  private static Workers open(Builder options, Handler handler) throws IOException {
    Scheduler.create().close(); // says what this JVM lacks before anything listens
    Listeners listeners = Listeners.of(options);
    List<int[]> opened = new ArrayList<>();
    try {
      for (int i = 0; i < options.count; i++) {
        opened.add(listeners.open());
      }
      return new Workers(options, handler, listeners, opened);
    } catch (IOException | RuntimeException e) {
      opened.forEach(Listeners::close);
      listeners.close();
      throw e;
    }
  }

  /** The choices that workers are made with. */
  public static Builder builder() {
    return new Builder();
  }

  /** The port that all workers listen on; -1 if the listening socket is no internet socket. */
  public int port() {
    return listeners.port();
  }

  /** If the workers have been asked to end. Any thread. */
  public boolean isStopping() {
    return stopped.getCount() == 0;
  }

  /**
   * Starts the threads. Connections that came since {@link Builder#build} have waited for that.
   *
   * @throws IllegalStateException the second time, or after a stop; or if signals are to stop it
   *     and the JVM leaves signals alone, {@code -Xrs}
   */
  public void start() {
    lock.lock();
    try {
      if (started || isStopping()) {
        throw new IllegalStateException(
            name + (started ? " has been started already" : " has been stopped"));
      }
      if (stopOnSignals) {
        Termination.add(onSignal);
      }
      started = true;
      workers.forEach(Worker::start);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends all workers: see {@link #stop(Duration)}, with the grace period they were made with. Any
   * thread; does not suspend.
   */
  public void stop() {
    stop(gracePeriod);
  }

  /**
   * Ends all workers. Connections that wait to be accepted are accepted, then nobody listens any
   * more; connections that are idle are closed; what is being served has the grace period to end,
   * then its fibers are cancelled. A later call with a shorter period cuts it short. Any thread;
   * does not suspend.
   *
   * @param grace zero or less cancels at once
   */
  public void stop(Duration grace) {
    Objects.requireNonNull(grace, "grace");
    lock.lock();
    try {
      this.grace = grace;
      boolean isFirst = !isStopping();
      stopped.countDown();
      listeners.close();
      if (started) {
        workers.forEach(worker -> worker.stop(grace));
      } else if (isFirst) {
        workers.forEach(Worker::neverStart);
      }
      if (isFirst) {
        watcher = Thread.ofPlatform().daemon().name(name + " stop").start(this::watchEnd);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Tells whom a fiber keeps from ending; nothing preempts one. */
  private void watchEnd() {
    try {
      if (!ended.await(nanos(grace) + LATE.toNanos(), TimeUnit.NANOSECONDS)) {
        workers.forEach(Worker::tellWhoHoldsIt);
      }
    } catch (InterruptedException e) {
      // whoever does that does not want to know
    }
  }

  private void signalled() {
    stop(isStopping() ? Duration.ZERO : gracePeriod);
  }

  /**
   * Waits until every worker has ended, after a stop, or because each has failed and none is to
   * start again, see {@link #failure}. Suspends in a fiber; blocks elsewhere.
   *
   * @throws IllegalStateException in a fiber of these workers, which would wait for itself
   */
  public void awaitEnd() throws InterruptedException {
    requireOutside();
    ended.await();
    joinThreads();
  }

  /**
   * Like {@link #awaitEnd()}, for at most the given time.
   *
   * @return if all have ended
   */
  public boolean awaitEnd(Duration limit) throws InterruptedException {
    requireOutside();
    boolean inTime = ended.await(nanos(limit), TimeUnit.NANOSECONDS);
    if (inTime) {
      joinThreads();
    }
    return inTime;
  }

  /** Why the workers ended without a stop: what the last one failed with. */
  public Optional<Throwable> failure() {
    return Optional.ofNullable(failure);
  }

  /**
   * Stops, and waits until every worker has ended. An interrupt cuts the grace period short. The
   * second time does nothing.
   *
   * @throws IllegalStateException in a fiber of these workers, which would wait for itself
   */
  @Override
  public void close() {
    requireOutside();
    if (!isStopping()) {
      stop();
    }
    boolean interrupted = false;
    while (true) {
      try {
        awaitEnd();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
        stop(Duration.ZERO);
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** The schedulers of the workers that serve now, in their order. Any thread. */
  public List<Scheduler> schedulers() {
    List<Scheduler> all = new ArrayList<>();
    for (Worker worker : workers) {
      Scheduler now = worker.scheduler();
      if (now != null) {
        all.add(now);
      }
    }
    return all;
  }

  /** The fibers of every worker that are alive, as text for people. Any thread. */
  public String dump() {
    StringBuilder text = new StringBuilder();
    workers.forEach(worker -> text.append(worker.dump()));
    return text.toString();
  }

  private void requireOutside() {
    if (Scheduler.inFiber() && workers.stream().anyMatch(w -> w.drives(Scheduler.current()))) {
      throw new IllegalStateException(
          "a fiber of " + name + " would wait for its own end; stop() does not wait");
    }
  }

  private static long nanos(Duration time) {
    Duration most = Duration.ofNanos(Long.MAX_VALUE / 2);
    return (time.compareTo(most) < 0 ? time : most).toNanos();
  }

  private void joinThreads() throws InterruptedException {
    Thread watches = watcher;
    if (watches != null) {
      watches.join();
    }
    for (Worker worker : workers) {
      worker.thread().join();
    }
  }

  // ---- what the workers ask and tell

  /** The grace period of the last stop. */
  Duration grace() {
    return grace;
  }

  /** Waits for a stop, for at most the given time. */
  @SuppressWarnings("ResultOfMethodCallIgnored") // both are an end of the wait
  void awaitStop(long nanos) throws InterruptedException {
    stopped.await(nanos, TimeUnit.NANOSECONDS);
  }

  int[] listen() throws IOException {
    return listeners.open();
  }

  /**
   * A worker has rehearsed. Waits for the others: those that accepted before could leave them no
   * descriptor for that.
   */
  void rehearsed() {
    rehearsing.countDown();
    try {
      rehearsing.await();
    } catch (InterruptedException e) {
      // it does not wait
    }
  }

  /** A worker has ended, for good. */
  void ended(@Nullable Throwable why) {
    if (running.decrementAndGet() > 0) {
      return;
    }
    failure = isStopping() ? null : why;
    listeners.close();
    Termination.remove(onSignal);
    ended.countDown();
  }

  /** The choices that workers are made with; each but the handler has a default. */
  public static final class Builder {
    private static final System.Logger LOG = System.getLogger("dev.fdfiber");

    String name = "worker";
    String host = "127.0.0.1";
    int port;
    int count = Runtime.getRuntime().availableProcessors();
    int backlog = 1024;
    boolean reusePort;
    boolean systemd = true;
    Set<String> systemdNames = Set.of();
    int[] listeners = {};
    Duration grace = Duration.ofSeconds(5);
    boolean restart = true;
    boolean stopOnSignals;
    Consumer<String> log = text -> LOG.log(System.Logger.Level.WARNING, text);
    ObjIntConsumer<Scheduler.Builder> scheduler = (builder, index) -> {};
    ObjIntConsumer<Scheduler> onWorkerStart = (scheduler, index) -> {};
    private @Nullable Handler handler;

    private Builder() {}

    /** What serves a connection; there is no default. */
    public Builder handler(Handler handler) {
      this.handler = Objects.requireNonNull(handler, "handler");
      return this;
    }

    /**
     * The name by which messages call them; threads and schedulers are NAME-1, NAME-2 and so on.
     */
    public Builder name(String name) {
      this.name = Objects.requireNonNull(name, "name");
      return this;
    }

    /** The address to listen on, 127.0.0.1 by default; 0.0.0.0 or :: for every interface. */
    public Builder host(String host) {
      this.host = Objects.requireNonNull(host, "host");
      return this;
    }

    /** The port to listen on; 0, the default, for any that is free, see {@link Workers#port}. */
    public Builder port(int port) {
      this.port = port;
      return this;
    }

    /**
     * How many workers; by default as many as the JVM has processors.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder count(int count) {
      if (count < 1) {
        throw new IllegalArgumentException(count + " workers cannot serve; give 1 or more");
      }
      this.count = count;
      return this;
    }

    /** How many connections may wait to be accepted, listen(2), for each worker; 1024. */
    public Builder backlog(int backlog) {
      this.backlog = backlog;
      return this;
    }

    /**
     * If other processes of this user may listen on the same port at the same time, say the next
     * version of the program. By default a port that somebody listens on is {@code EADDRINUSE}.
     */
    public Builder reusePort(boolean reusePort) {
      this.reusePort = reusePort;
      return this;
    }

    /**
     * If listening sockets are taken that systemd hands over, instead of host and port; true. They
     * are for this process if {@code LISTEN_PID} is its number. Each is taken once in the life of
     * the JVM, whose environment cannot be unset.
     */
    public Builder systemd(boolean systemd) {
      this.systemd = systemd;
      return this;
    }

    /** Takes only those of systemd's that have such a name, {@code FileDescriptorName=}. */
    public Builder systemdNames(String... names) {
      this.systemdNames = Set.of(names);
      return this;
    }

    /**
     * Listening sockets to accept from, instead of host and port and of systemd's. They become
     * non-blocking, and the workers', which close them.
     */
    public Builder listeners(int... fds) {
      this.listeners = fds.clone();
      return this;
    }

    /**
     * How long what is being served may go on after a stop; 5 s, which is less than the 10 s after
     * which container runtimes kill.
     */
    public Builder grace(Duration grace) {
      this.grace = Objects.requireNonNull(grace, "grace");
      return this;
    }

    /** If a worker that failed starts again, soon and then at growing intervals; true. */
    public Builder restart(boolean restart) {
      this.restart = restart;
      return this;
    }

    /**
     * Makes SIGTERM and SIGINT stop the workers, from the start to the end; a second one cuts the
     * grace period short. The JVM goes on, so that the program ends with a status of its own.
     */
    public Builder stopOnSignals() {
      this.stopOnSignals = true;
      return this;
    }

    /**
     * Gets what the operator should know, on any thread: that there are no descriptors left, or
     * that a worker failed. By default it is logged, level WARNING.
     */
    public Builder log(Consumer<String> log) {
      this.log = Objects.requireNonNull(log, "log");
      return this;
    }

    /**
     * Adjusts the scheduler of each worker, given its number from 0 on; on that worker's thread.
     */
    public Builder scheduler(ObjIntConsumer<Scheduler.Builder> adjust) {
      this.scheduler = Objects.requireNonNull(adjust, "adjust");
      return this;
    }

    /**
     * Called in a fiber of each worker before it accepts, also when it starts again: what it spawns
     * lives as long as the worker. What it throws is a failure of the worker.
     */
    public Builder onWorkerStart(ObjIntConsumer<Scheduler> hook) {
      this.onWorkerStart = Objects.requireNonNull(hook, "hook");
      return this;
    }

    /**
     * Makes the workers, and listens: connections are queued from here on and served from {@link
     * Workers#start} on. To be closed.
     *
     * @throws IllegalStateException without a handler; for what {@link Scheduler#create} throws; or
     *     if what systemd hands over, or {@link #listeners} names, is no listening socket
     * @throws dev.fdfiber.ErrnoException {@code EADDRINUSE} if the port is taken, and what else
     *     {@link Sock#listen(String, int, boolean, int)} throws
     */
    public Workers build() throws IOException {
      if (handler == null) {
        throw new IllegalStateException("workers need a handler");
      }
      return open(this, handler);
    }
  }
}
