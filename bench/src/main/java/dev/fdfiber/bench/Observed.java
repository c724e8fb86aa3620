package dev.fdfiber.bench;

import dev.fdfiber.Scheduler;
import dev.fdfiber.inspect.Inspector;
import dev.fdfiber.inspect.Metrics;
import dev.fdfiber.inspect.ScheduleTrace;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What does it cost to be looked at? Yields, and a byte to and fro, watched in several ways. */
public final class Observed implements Question {
  private static final String YIELD = "a yield";
  private static final String TRIP = "a round trip";

  /** How a scheduler is watched. */
  public enum By {
    /** Nobody, and JDK Flight Recorder has not been used. */
    NOBODY("nobody"),

    /** A {@link Inspector} with a page open. */
    PAGE("an open page"),

    /** {@link Metrics}. */
    METRICS("metrics"),

    /** A {@link ScheduleTrace}. */
    TRACE("a trace"),

    /**
     * Nobody any more: there was a recording. From the first one on the JDK itself takes longer to
     * mount a virtual thread, whether fibers were recorded or not.
     */
    JFR_OFF("JFR, off again"),

    /** A recording as {@code jcmd JFR.start} makes it. */
    JFR_ON("JFR, recording");

    private final String peer;

    By(String peer) {
      this.peer = peer;
    }

    void watch(Scheduler scheduler) throws Exception {
      switch (this) {
        case NOBODY -> {}
        case JFR_OFF -> {
          try (Recording recording = recording()) {
            recording.start();
            scheduler.runFor(0);
          }
        }
        case PAGE -> open(Inspector.serve(scheduler, 0));
        case METRICS -> Metrics.of(scheduler);
        case JFR_ON -> recording().start();
        case TRACE -> ScheduleTrace.of(scheduler);
      }
    }

    /** Reads what the page would be told, until the process ends. */
    private static void open(Inspector inspector) throws IOException {
      Socket socket = new Socket("127.0.0.1", inspector.port());
      String request = "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      Thread.ofPlatform()
          .daemon()
          .start(() -> {
            try {
              socket.getInputStream().transferTo(OutputStream.nullOutputStream());
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    }

    private static Recording recording() throws Exception {
      return new Recording(Configuration.getConfiguration("default"));
    }
  }

  @Override
  public String name() {
    return "observed";
  }

  @Override
  public String title() {
    return "Being looked at";
  }

  @Override
  public String unit() {
    return "ns";
  }

  @Override
  public List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    for (By by : By.values()) {
      entries.add(new Entry(YIELD, by.peer, Jmh.of(Yields.class, Map.of("by", by.name()))));
    }
    for (By by : By.values()) {
      entries.add(new Entry(TRIP, by.peer, Jmh.of(Trips.class, Map.of("by", by.name()))));
    }
    return entries;
  }

  @Override
  public List<Goal> goals() {
    List<Goal> goals = new ArrayList<>();
    for (String setting : List.of(YIELD, TRIP)) {
      goals.add(goal(setting, By.PAGE, By.NOBODY, 1.02));
      goals.add(goal(setting, By.METRICS, By.NOBODY, 1.5));
      goals.add(goal(setting, By.TRACE, By.NOBODY, 2));
      goals.add(goal(setting, By.JFR_ON, By.JFR_OFF, 1.5));
    }
    return goals;
  }

  private static Goal goal(String setting, By of, By per, double limit) {
    return Goal.ratio(Entry.key(setting, of.peer), Entry.key(setting, per.peer), limit);
  }

  /** Two fibers that yield in turn. */
  @State(Scope.Thread)
  public static class Yields extends Yield.OfFibers {
    @Param("NOBODY")
    public By by;

    @Setup
    public void watch() throws Exception {
      by.watch(scheduler());
    }
  }

  /** Two fibers that pass a byte over two pipes. */
  @State(Scope.Thread)
  public static class Trips extends PingPongFibers.ByIoWait {
    @Param("NOBODY")
    public By by;

    @Override
    void made(Scheduler scheduler) throws Exception {
      by.watch(scheduler);
    }
  }
}
