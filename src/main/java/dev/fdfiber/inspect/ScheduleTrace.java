package dev.fdfiber.inspect;

import dev.fdfiber.Fiber;
import dev.fdfiber.Observer;
import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Records what a scheduler does, from {@link #of} until {@link #close}, and writes it as a picture:
 * Chrome's trace-event JSON, which Perfetto and other viewers open. Each fiber is a row; what it
 * does and waits for are slices in it, and wake-ups are arrows.
 *
 * <p>Keeps the last events, so many as it was told, about 60 bytes each and the handles of their
 * fibers; what came before is dropped, and the trace says how much that was.
 */
public final class ScheduleTrace implements AutoCloseable {
  /** How many events are kept unless told otherwise. */
  public static final int DEFAULT_EVENTS = 200_000;

  /** What happened. */
  enum Kind {
    READY,
    RESUMES,
    LEFT,
    LOOKED,
    SWITCHED
  }

  /**
   * One thing that happened; what the fields mean depends on its kind.
   *
   * @param by who woke the fiber
   * @param state what the fiber left for
   * @param a the descriptor that it waits for; or when a look began; or 1 for epoll, 0 for poll
   * @param b the mode; or how many were resumed before the look, and woken by it, in halves
   */
  record Entry(
      Kind kind,
      long nanos,
      @Nullable Fiber fiber,
      @Nullable Fiber by,
      Fiber.@Nullable State state,
      long a,
      long b) {}

  private final Scheduler scheduler;
  private final int most;
  private final List<Entry> entries = new ArrayList<>(); // a ring, once it is full
  private final Observer observer = new Recording();
  private int oldest;
  private long dropped;

  private ScheduleTrace(Scheduler scheduler, int most) {
    this.scheduler = scheduler;
    this.most = most;
  }

  /**
   * Begins to record what a scheduler does. Any thread; does not suspend.
   *
   * @throws IllegalStateException if it is closed
   */
  public static ScheduleTrace of(Scheduler scheduler) {
    return of(scheduler, DEFAULT_EVENTS);
  }

  /**
   * The same, with a number of events to keep; each turn of a fiber makes two or three.
   *
   * @throws IllegalArgumentException if it is less than one
   */
  public static ScheduleTrace of(Scheduler scheduler, int events) {
    if (events < 1) {
      throw new IllegalArgumentException("a trace of " + events + " events");
    }
    ScheduleTrace trace = new ScheduleTrace(scheduler, events);
    scheduler.attach(trace.observer);
    return trace;
  }

  /** How many events were recorded and are not kept. Any thread. */
  public synchronized long dropped() {
    return dropped;
  }

  /** Ends the recording; it can still be written. Any thread; does not suspend. */
  @Override
  public void close() {
    scheduler.detach(observer);
  }

  /**
   * Writes what was recorded so far to a file, in UTF-8. Any thread; holds the driver while it
   * copies the events, not while it writes them. A file holds up its thread: in a fiber call it in
   * {@link dev.fdfiber.Blocking#call}.
   *
   * @throws IOException if the file cannot be written
   */
  public void writeTo(Path file) throws IOException {
    try (Writer out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
      writeTo(out);
    }
  }

  /**
   * The same to a writer, which is not closed.
   *
   * @throws IOException what the writer throws
   */
  public void writeTo(Writer out) throws IOException {
    List<Entry> copy;
    long before;
    synchronized (this) {
      copy = new ArrayList<>(entries.size());
      copy.addAll(entries.subList(oldest, entries.size()));
      copy.addAll(entries.subList(0, oldest));
      before = dropped;
    }
    TraceEvents events = new TraceEvents(scheduler.name());
    copy.forEach(events::add);
    events.writeTo(out, before);
  }

  private synchronized void add(Entry entry) {
    if (entries.size() < most) {
      entries.add(entry);
    } else {
      entries.set(oldest, entry);
      oldest = (oldest + 1) % most;
      dropped++;
    }
  }

  private final class Recording implements Observer {
    @Override
    public void ready(Fiber fiber, @Nullable Fiber by, long nanos) {
      add(new Entry(Kind.READY, nanos, fiber, by, null, 0, 0));
    }

    @Override
    public void resumes(Fiber fiber, long readyNanos, long nanos) {
      add(new Entry(Kind.RESUMES, nanos, fiber, null, null, 0, 0));
    }

    @Override
    public void left(Fiber fiber, Fiber.State state, int fd, int mode, long nanos) {
      add(new Entry(Kind.LEFT, nanos, fiber, null, state, fd, mode));
    }

    @Override
    public void looked(int resumed, int woken, long startNanos, long nanos) {
      long counts = ((long) resumed << Integer.SIZE) | woken;
      add(new Entry(Kind.LOOKED, nanos, null, null, null, startNanos, counts));
    }

    @Override
    public void pollerSwitched(PollerKind kind, long nanos) {
      long epoll = kind == PollerKind.EPOLL ? 1 : 0;
      add(new Entry(Kind.SWITCHED, nanos, null, null, null, epoll, 0));
    }
  }
}
