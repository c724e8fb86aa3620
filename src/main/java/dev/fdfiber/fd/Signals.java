package dev.fdfiber.fd;

import dev.fdfiber.kernel.JvmSignals;
import dev.fdfiber.kernel.SignalNumbers;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Signals as a stream: TERM, INT, HUP, USR1, USR2, CHLD and others come to whoever waits, and do
 * nothing else until this is closed. Several objects may wait for one signal; each gets it.
 *
 * <p>signalfd(2) does not work in a JVM, so a handler of the JVM's fills a queue and an eventfd. As
 * everywhere, signals of one kind that come close together can be one. HUP, INT and TERM do not
 * come at all in a JVM that was started with them ignored, as nohup(1) does with HUP.
 */
public final class Signals implements Closeable {
  private static final String CRASHES =
      "the JVM lives on it, for its null checks and crash reports";
  private static final String NOBODY = "no program can have it, signal(7)";

  /** Those that nobody gets, and why. USR2 is the JVM's too, but only while JFR samples. */
  private static final Map<String, String> REFUSED =
      Map.of(
          "QUIT", "the JVM prints its threads at it",
          "SEGV", CRASHES,
          "BUS", CRASHES,
          "FPE", CRASHES,
          "ILL", CRASHES,
          "TRAP", CRASHES,
          "PIPE", "the JVM ignores it, so that a write can fail with EPIPE",
          "XFSZ", "the JVM ignores it, so that a write can fail with EFBIG",
          "KILL", NOBODY,
          "STOP", NOBODY);

  private record Action(String name, Runnable action) {}

  private static final Set<Signals> OPEN = ConcurrentHashMap.newKeySet();

  private final EventFd arrived;
  private final Queue<String> names = new ConcurrentLinkedQueue<>();
  private final List<Action> actions = new ArrayList<>();
  private boolean closed;

  private Signals(EventFd arrived) {
    this.arrived = arrived;
  }

  /**
   * Takes signals from now on. Does not suspend.
   *
   * @param names such as {@code TERM} or {@code SIGTERM}
   * @throws IllegalArgumentException for one that the JVM keeps for itself, with the reason, or
   *     that does not exist
   * @throws IllegalStateException if the JVM refuses, such as with {@code -Xrs}
   * @throws dev.fdfiber.ErrnoException {@code EMFILE}, {@code ENFILE}, eventfd(2) ERRORS
   */
  public static Signals of(String... names) throws IOException {
    Set<String> plain = new LinkedHashSet<>();
    for (String name : names) {
      plain.add(requireAllowed(name));
    }
    Signals signals = new Signals(EventFd.semaphore(0));
    OPEN.add(signals);
    try {
      for (String name : plain) {
        Action action = new Action(name, () -> signals.arrives(name));
        JvmSignals.add(name, action.action);
        signals.actions.add(action);
      }
      return signals;
    } catch (RuntimeException e) {
      signals.close();
      throw e;
    }
  }

  private static String requireAllowed(String name) {
    int number = SignalNumbers.of(name);
    String plain = SignalNumbers.plain(name);
    String why = REFUSED.get(plain);
    if (why != null) {
      throw new IllegalArgumentException("SIG" + plain + " (" + number + ") cannot be had: " + why);
    }
    return plain;
  }

  /** On a thread of the JVM's. */
  private synchronized void arrives(String name) {
    if (!closed) {
      names.add(name);
      try {
        arrived.add(1, Duration.ZERO);
      } catch (IOException e) {
        names.remove(name); // nobody was woken, and the next signal tries again
      }
    }
  }

  /**
   * If a descriptor, which is an eventfd like others, is that of signals: then it is not this
   * process alone that makes it readable, as a test with a virtual clock has to know.
   */
  public static boolean isSignals(int fd) {
    return OPEN.stream().anyMatch(signals -> signals.fd() == fd);
  }

  /** The descriptor, which is readable when a signal has come. */
  public int fd() {
    return arrived.fd();
  }

  /** Suspends until a signal comes; its name, such as {@code TERM}. */
  public String await() throws IOException {
    return await(Deadline.NEVER).orElseThrow();
  }

  /** Like {@link #await()}, for at most a time; empty when that was up. */
  public Optional<String> await(Duration timeout) throws IOException {
    if (arrived.take(timeout).isEmpty()) {
      return Optional.empty();
    }
    String name = names.poll();
    if (name == null) {
      throw new ClosedChannelException();
    }
    return Optional.of(name);
  }

  /**
   * Ends it: the signals do again what they did before. Whoever waits gets ClosedChannelException.
   */
  @Override
  public void close() throws IOException {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    OPEN.remove(this);
    actions.forEach(a -> JvmSignals.remove(a.name, a.action));
    arrived.close();
  }

  @Override
  public String toString() {
    return "signals " + actions.stream().map(Action::name).toList() + " on " + arrived;
  }
}
