package dev.fdfiber.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Fiber;
import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.ChildJvm;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.ManualClock;
import dev.fdfiber.testing.TimeKernel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.logging.Level;
import jdk.jfr.Event;
import jdk.jfr.EventType;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The events that a recording gets, read back from its file. */
@FdTest
@Tag("slow")
class FlightRecordingTest {
  static final List<Class<? extends Event>> EVENTS =
      List.of(
          FiberSpawnEvent.class,
          FiberEndEvent.class,
          FiberParkEvent.class,
          FiberRunEvent.class,
          DriverHeldEvent.class,
          PassEvent.class,
          PollerSwitchEvent.class);

  @TempDir Path directory;

  private static Recording recording() {
    Recording recording = new Recording();
    for (String event : List.of("FiberSpawn", "FiberEnd")) {
      recording.enable("dev.fdfiber." + event);
    }
    for (String event : List.of("FiberPark", "FiberRun", "Pass")) {
      recording.enable("dev.fdfiber." + event).withThreshold(Duration.ZERO);
    }
    return recording;
  }

  /** A scheduler whose time goes on only where it blocks, by just as much. */
  private static Scheduler.Builder timed() {
    ManualClock clock = new ManualClock();
    return Scheduler.builder().clock(clock).kernel(new TimeKernel(clock));
  }

  /** The events of a type, in the order of their ends. */
  private List<RecordedEvent> stop(Recording recording, String type) throws Exception {
    recording.stop();
    return read(recording, type);
  }

  private List<RecordedEvent> read(Recording recording, String type) throws Exception {
    Path file = directory.resolve(type + ".jfr");
    recording.dump(file);
    return RecordingFile.readAllEvents(file).stream()
        .filter(e -> e.getEventType().getName().equals("dev.fdfiber." + type))
        .sorted((a, b) -> a.getEndTime().compareTo(b.getEndTime()))
        .toList();
  }

  private static String parked(RecordedEvent park) {
    return String.join(
        " ",
        park.getString("fiber"),
        park.getString("reason"),
        "" + park.getInt("fd"),
        park.getString("mode"));
  }

  @ParameterizedTest
  @EnumSource(PollerKind.class)
  void parks_tellWhatWasWaitedFor_andHowLong(PollerKind poller) throws Exception {
    try (Recording recording = recording();
        Fds.Pair pipe = Fds.pipe();
        Scheduler s = timed().name("recorded").poller(poller).build()) {
      recording.start();
      BlockingQueue<String> queue = new LinkedBlockingQueue<>();
      Fiber f =
          s.spawn(
              "f",
              () -> {
                Scheduler.pause(Duration.ofMillis(2));
                Scheduler.ioWait(pipe.b(), Scheduler.WRITE, -1);
                Scheduler.ioWaitAny(
                    new int[] {pipe.b()}, new int[] {Scheduler.WRITE}, Duration.ZERO);
                queue.take();
                Scheduler.pause(0);
              });
      while (f.state() != Fiber.State.BLOCKED) {
        s.tick(-1);
      }
      Scheduler.pause(Duration.ofMillis(2)); // outside a fiber: the event has begun
      queue.put("go on");
      s.run();
      List<RecordedEvent> parks = stop(recording, "FiberPark");
      assertThat(parks)
          .extracting(FlightRecordingTest::parked)
          .containsExactly(
              "f PAUSED -1 ",
              "f WAITING_IO " + pipe.b() + " WRITE",
              "f WAITING_IO -1 ",
              "f BLOCKED -1 ");
      RecordedEvent pause = parks.getFirst();
      assertThat(pause.getString("scheduler")).isEqualTo("recorded");
      assertThat(pause.getDuration("waited")).isEqualTo(Duration.ofMillis(2));
      // The event itself is timed by a clock of the JVM's own.
      assertThat(parks.getLast().getDuration()).isGreaterThanOrEqualTo(Duration.ofMillis(1));
    }
  }

  @Test
  void spawnsEndsAndTurns_areThere_whenEnabled() throws Exception {
    try (Recording recording = recording();
        Logged logged = new Logged();
        Scheduler s = Scheduler.create()) {
      recording.start();
      Fiber good = s.spawn("good", () -> {});
      s.spawn(
          "bad",
          () -> {
            throw new IllegalStateException("on purpose");
          });
      s.run();
      List<RecordedEvent> spawns = stop(recording, "FiberSpawn");
      assertThat(spawns).extracting(e -> e.getString("fiber")).containsExactly("good", "bad");
      assertThat(spawns.getFirst().getLong("fiberId")).isEqualTo(good.id());
      assertThat(read(recording, "FiberEnd"))
          .extracting(e -> e.getString("fiber") + " " + e.getString("failure"))
          .containsExactly("good ", "bad java.lang.IllegalStateException: on purpose");
      assertThat(read(recording, "FiberRun"))
          .extracting(e -> e.getString("fiber"))
          .containsExactly("good", "bad");
      assertThat(logged.isEmpty()).isFalse();
    }
  }

  @Test
  void passes_andASwitchOfThePoller_areThere() throws Exception {
    List<Fds.Pair> pipes = new ArrayList<>();
    try (Recording recording = recording();
        Scheduler s = timed().poller(PollerKind.AUTO).build()) {
      recording.start();
      for (int i = 0; i < 40; i++) {
        Fds.Pair pipe = Fds.pipe();
        pipes.add(pipe);
        s.spawn(() -> Scheduler.ioWait(pipe.a(), Scheduler.READ, -1));
      }
      s.spawn(() -> {
        Scheduler.pause(Duration.ofMillis(5));
        Scheduler.pause(Duration.ofMillis(5));
        s.stop();
      });
      s.run();
      List<RecordedEvent> passes = stop(recording, "Pass");
      RecordedEvent idle = passes.getLast();
      assertThat(idle.getInt("resumed")).isOne();
      assertThat(idle.getInt("woken")).isOne();
      assertThat(idle.getDuration("polled")).isEqualTo(Duration.ofMillis(5));
      assertThat(read(recording, "PollerSwitch"))
          .extracting(e -> e.getString("poller"))
          .containsExactly("EPOLL");
      s.clear();
    } finally {
      pipes.forEach(Fds.Pair::close);
    }
  }

  @Test
  void aHeldDriver_isToldWithItsStack() throws Exception {
    try (Recording recording = recording();
        Logged logged = new Logged();
        Scheduler s = Scheduler.builder().heldLimit(Duration.ofMillis(1)).build()) {
      recording.start();
      s.spawn(
          "holder",
          () -> {
            // There is one report a turn, of wherever the fiber is by then.
            for (long nanos = 10_000_000; !holdsUntilTold(nanos, logged); nanos *= 2) {
              Scheduler.pause(0);
            }
          });
      s.run();
      assertThat(stop(recording, "DriverHeld"))
          .anySatisfy(held -> {
            assertThat(held.getString("fiber")).isEqualTo("holder");
            assertThat(held.getDuration("held")).isGreaterThanOrEqualTo(Duration.ofMillis(1));
            assertThat(held.getString("stack"))
                .contains(FlightRecordingTest.class.getName() + ".holdsUntilTold");
          });
    }
  }

  /** If it was told that the driver is held here, before so much time was over. */
  private static boolean holdsUntilTold(long nanos, Logged logged) {
    long start = System.nanoTime();
    while (System.nanoTime() - start < nanos) {
      if (logged.at(Level.WARNING).stream().anyMatch(text -> text.contains("holdsUntilTold"))) {
        return true;
      }
    }
    return false;
  }

  @Test
  void aSchedulerThatRunsAlready_isRecordedFromTheStart_untilTheStop() throws Exception {
    try (Scheduler s = Scheduler.create()) {
      CountDownLatch begun = new CountDownLatch(1);
      Fiber ticker =
          s.spawn(() -> {
            begun.countDown();
            while (true) {
              Scheduler.pause(Duration.ofMillis(1));
            }
          });
      Thread driver = Thread.ofPlatform().start(s::run);
      begun.await();
      try (Recording recording = recording()) {
        recording.start();
        s.spawn("during", () -> {}).join();
        recording.stop();
        s.spawn("after", () -> {}).join();
        try (Recording second = recording()) {
          second.start();
          s.spawn("again", () -> {}).join();
          assertThat(stop(second, "FiberSpawn"))
              .extracting(e -> e.getString("fiber"))
              .containsExactly("again");
        }
        assertThat(read(recording, "FiberSpawn"))
            .extracting(e -> e.getString("fiber"))
            .containsExactly("during");
      }
      ticker.cancel();
      driver.join();
    }
  }

  @Test
  void everyEvent_hasALabelADescriptionAndACategory_andNoStackOfTheDriver() {
    assertThat(EVENTS.stream().map(EventType::getEventType))
        .allSatisfy(type -> {
          assertThat(type.getName()).startsWith("dev.fdfiber.");
          assertThat(type.getLabel()).isNotBlank();
          assertThat(type.getDescription()).isNotBlank();
          assertThat(type.getCategoryNames()).containsExactly("fdfiber");
          assertThat(type.getFields().stream().filter(f -> f.getName().equals("scheduler")))
              .hasSize(1);
        });
  }

  /** Prints which classes of a kind a program without a recording loads. */
  static final class Quiet {
    private Quiet() {}

    /** Runs a fiber. */
    public static void main(String[] words) {
      try (Scheduler s = Scheduler.create()) {
        s.spawn(() -> System.out.print("ran"));
        s.run();
      }
    }
  }

  @Test
  void whileNothingIsRecorded_noEventClassIsLoaded() throws Exception {
    List<String> flags = new ArrayList<>(ChildJvm.FIBER_FLAGS);
    flags.add("-Xlog:class+load:file=" + directory.resolve("classes"));
    ChildJvm.Result result = new ChildJvm(flags).run(directory, Quiet.class.getName());
    assertThat(result.out()).isEqualTo("ran");
    assertThat(directory.resolve("classes"))
        .content()
        .contains(FlightRecording.class.getName())
        .doesNotContain("dev.fdfiber.inspect.FiberParkEvent", FlightObserver.class.getName());
  }

  @ParameterizedTest
  @ValueSource(strings = {"java.base,jdk.unsupported,java.logging"})
  void aRuntimeWithoutFlightRecorder_runsFibers(String modules) throws Exception {
    List<String> flags = new ArrayList<>(ChildJvm.FIBER_FLAGS);
    flags.addAll(List.of("--limit-modules", modules));
    ChildJvm.Result result = new ChildJvm(flags).run(directory, Quiet.class.getName());
    assertThat(result.errors()).isEmpty();
    assertThat(result.out()).isEqualTo("ran");
  }
}
