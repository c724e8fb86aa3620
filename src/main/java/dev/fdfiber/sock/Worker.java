package dev.fdfiber.sock;

import dev.fdfiber.Clock;
import dev.fdfiber.ErrnoException;
import dev.fdfiber.Fiber;
import dev.fdfiber.FiberInfo;
import dev.fdfiber.Scheduler;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One worker of a group: a thread that drives a scheduler, whose fibers accept and serve.
 *
 * <p>A stop is a fiber too: it ends the acceptors, closes the listening sockets, wakes the idle
 * connections, waits for the others, and then ends the loop. Whatever is left, the scheduler's own
 * close cancels.
 *
 * <p>When the loop fails the scheduler is given up with its connections, and another one takes its
 * place. The first time the listening sockets stay open, so that no connection in their queue is
 * lost; if it fails again soon they are closed, and the kernel gives new ones to the other workers.
 *
 * <p>What is not said to be for any thread is the worker's own, or a fiber's that it carries.
 */
final class Worker {
  /** Who has run for so long fails for the first time. */
  private static final long STEADY_NANOS = 10_000_000_000L;

  private static final long SHORTEST_REST_NANOS = 100_000_000L;
  private static final long LONGEST_REST_NANOS = 10_000_000_000L;

  /** How many connections to take at once: one if others could take them too. */
  private static final int OWN_BATCH = 64;

  private static final int SHARED_BATCH = 1;

  private static final String RESTARTS = " failed, and starts again: ";
  private static final String ENDS = " failed, and accepts no more: ";

  private final Workers group;
  private final int index;
  private final String name;
  private final Workers.Handler handler;
  private final boolean restart;
  private final int batch;
  private final int backlog;
  private final Consumer<String> log;
  private final ObjIntConsumer<Scheduler.Builder> adjust;
  private final ObjIntConsumer<Scheduler> onStart;
  private final Thread thread;

  private int[] listeners;
  private final List<Acceptor> acceptors = new ArrayList<>();
  private final List<Fiber> accepting = new ArrayList<>();
  private final Set<ServedConnection> connections = new LinkedHashSet<>();
  private boolean isOver;
  private @Nullable Throwable failure;

  /** The one that it drives now. Any thread. */
  private volatile @Nullable Scheduler scheduler;

  Worker(
      Workers group,
      Workers.Builder options,
      Workers.Handler handler,
      int index,
      int[] listeners,
      Listeners source) {
    this.group = group;
    this.index = index;
    this.name = options.name + "-" + (index + 1);
    this.handler = handler;
    this.restart = options.restart;
    this.batch = source.areShared() ? SHARED_BATCH : OWN_BATCH;
    this.backlog = options.backlog;
    this.log = options.log;
    this.adjust = options.scheduler;
    this.onStart = options.onWorkerStart;
    this.listeners = listeners;
    this.thread = Thread.ofPlatform().name(name).daemon(false).unstarted(this::run);
  }

  // ---- any thread

  int index() {
    return index;
  }

  Thread thread() {
    return thread;
  }

  boolean isStopping() {
    return group.isStopping();
  }

  boolean drives(Scheduler other) {
    return scheduler == other;
  }

  /** The one that it drives now, or none. */
  @Nullable Scheduler scheduler() {
    return scheduler;
  }

  String dump() {
    Scheduler now = scheduler;
    return now == null ? "" : now.dump();
  }

  /** Logs which fiber keeps this from ending, and where it is. */
  void tellWhoHoldsIt() {
    Scheduler now = scheduler;
    if (now == null) {
      return;
    }
    for (FiberInfo fiber : now.fibers()) {
      if (fiber.state() == Fiber.State.RUNNING && fiber.thread().isPresent()) {
        StringBuilder text = new StringBuilder(name);
        text.append(" cannot end: fiber ").append(fiber.name()).append(" holds it");
        for (StackTraceElement frame : fiber.thread().get().getStackTrace()) {
          text.append("\n    at ").append(frame);
        }
        log.accept(text.toString());
      }
    }
  }

  void start() {
    thread.start();
  }

  /** Instead of a start. */
  void neverStart() {
    closeListeners();
    group.ended(null);
  }

  /** The group is stopping: ends within the grace period. */
  void stop(Duration grace) {
    Scheduler now = scheduler;
    if (now != null) {
      try {
        now.spawn(name + " stop", () -> windDown(now, grace));
      } catch (IllegalStateException ended) {
        // and the thread sees for itself that there is a stop
      }
    }
  }

  // ---- the thread

  private void run() {
    Throwable why = null;
    try {
      rehearse();
      why = serveAgainAndAgain();
    } finally {
      closeListeners();
      group.ended(why);
    }
  }

  private void rehearse() {
    try {
      Rehearsal.play();
    } catch (RuntimeException | Error e) {
      // and what is amiss fails again where it is needed
    } finally {
      group.rehearsed();
    }
  }

  /** Serves until there is a stop; returns what it failed with if it does not start again. */
  private @Nullable Throwable serveAgainAndAgain() {
    int failures = 0;
    while (true) {
      long start = Clock.system().nanoTime();
      Throwable why = serve();
      if (why == null || isStopping()) {
        return why;
      }
      boolean wasSteady = Clock.system().nanoTime() - start >= STEADY_NANOS;
      failures = wasSteady ? 1 : failures + 1;
      boolean soonAgain = failures > 1;
      if (!restart || soonAgain) {
        closeListeners();
      }
      log.accept(name + (restart ? RESTARTS : ENDS) + trace(why));
      if (!restart) {
        return why;
      }
      if (soonAgain) {
        rest(failures - 2);
      }
    }
  }

  /** Waits, less long if there is a stop. */
  private void rest(int doublings) {
    long nanos = SHORTEST_REST_NANOS << Math.min(doublings, 20);
    try {
      group.awaitStop(Math.min(nanos, LONGEST_REST_NANOS));
    } catch (InterruptedException e) {
      // it rests for less long
    }
  }

  /** Serves until the loop ends; returns what it failed with, null after a stop. */
  private @Nullable Throwable serve() {
    isOver = false;
    failure = null;
    try {
      if (listeners.length == 0) {
        listeners = group.listen();
      }
      Scheduler.Builder builder = Scheduler.builder().name(name);
      adjust.accept(builder, index);
      try (Scheduler mine = builder.build()) {
        drive(mine);
      }
    } catch (IOException | RuntimeException | Error e) {
      fail(e);
    } finally {
      scheduler = null;
      connections.forEach(ServedConnection::abandon);
      connections.clear();
      acceptors.clear();
      accepting.clear();
    }
    return failure;
  }

  private void drive(Scheduler mine) {
    mine.spawn(name + " start", () -> begin(mine));
    scheduler = mine;
    if (isStopping()) {
      stop(group.grace()); // which may have come too early to be told
    }
    while (!isOver) {
      mine.run();
      Thread.interrupted(); // an interrupt ends a driving call, and nothing else
      if (!isOver && mine.aliveCount() == 0) {
        fail(new IllegalStateException("nothing accepts any more"));
      }
    }
  }

  /** Ends the loop by a failure; of several the first is what is told. */
  private void fail(Throwable why) {
    if (failure == null) {
      failure = why;
    } else if (!failure.equals(why)) {
      failure.addSuppressed(why);
    }
    isOver = true;
  }

  private static String trace(Throwable t) {
    StringWriter text = new StringWriter();
    t.printStackTrace(new PrintWriter(text));
    return text.toString().stripTrailing();
  }

  private void closeListeners() {
    Listeners.close(listeners);
    listeners = new int[0];
  }

  // ---- fibers

  private void begin(Scheduler mine) {
    try {
      onStart.accept(mine, index);
      for (int listener : listeners) {
        Acceptor acceptor =
            new Acceptor(mine.kernel(), listener, batch, fd -> connected(mine, fd), log);
        acceptors.add(acceptor);
        accepting.add(mine.spawn(name + " accept " + listener, () -> accept(mine, acceptor)));
      }
    } catch (RuntimeException | Error e) {
      fail(e);
      mine.stop();
    }
  }

  private void accept(Scheduler mine, Acceptor acceptor) throws InterruptedException {
    try {
      acceptor.run();
    } catch (IOException | RuntimeException | Error e) {
      if (!isStopping()) {
        fail(e);
        mine.stop();
      }
    }
  }

  private void connected(Scheduler mine, int fd) {
    ServedConnection connection = new ServedConnection(this, mine, fd);
    connections.add(connection);
    connection.servedBy(mine.spawn(name + " fd " + fd, () -> serve(connection)));
  }

  private void serve(ServedConnection connection) throws Exception {
    try (connection) {
      handler.handle(connection);
    } finally {
      connections.remove(connection);
    }
  }

  private void windDown(Scheduler mine, Duration grace) throws InterruptedException {
    try {
      stopAccepting();
      connections.forEach(ServedConnection::wakeIfIdle);
      long start = mine.clock().nanoTime();
      while (!connections.isEmpty()) {
        Duration left = grace.minusNanos(mine.clock().nanoTime() - start);
        if (!left.isPositive()) {
          break;
        }
        connections.iterator().next().join(left);
      }
    } finally {
      isOver = true;
      mine.stop();
    }
  }

  /** Takes the connections that the kernel has made already, then closes the listening sockets. */
  private void stopAccepting() {
    accepting.forEach(Fiber::cancel);
    accepting.clear();
    for (Acceptor acceptor : acceptors) {
      try {
        acceptor.acceptPending(backlog);
      } catch (ErrnoException e) {
        log.accept(name + ": " + e.getMessage());
      }
    }
    acceptors.clear();
    closeListeners();
  }
}
