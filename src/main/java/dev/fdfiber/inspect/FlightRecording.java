package dev.fdfiber.inspect;

import dev.fdfiber.Observer;
import dev.fdfiber.Scheduler;
import java.util.function.Function;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;
import jdk.jfr.Recording;
import jdk.jfr.RecordingState;

/**
 * Makes schedulers tell JDK Flight Recorder what they do while any recording runs. The first
 * scheduler of the JVM makes one of these; there is nothing for a user to call.
 *
 * <p>While nothing is recorded no event class is loaded, which would take longer than all the rest,
 * and no scheduler is observed.
 */
public final class FlightRecording implements FlightRecorderListener, Runnable {
  private final Maker maker = new Maker();
  private boolean isRecording;

  private static final class Maker implements Function<Scheduler, Observer> {
    @Override
    public Observer apply(Scheduler scheduler) {
      return new FlightObserver(scheduler.name());
    }
  }

  /** Made by the scheduler. */
  public FlightRecording() {}

  /** Listens to the recorder from now on. */
  @Override
  public void run() {
    FlightRecorder.addListener(this);
    if (FlightRecorder.isInitialized()) {
      update();
    }
  }

  @Override
  public void recordingStateChanged(Recording recording) {
    update();
  }

  private synchronized void update() {
    boolean now =
        FlightRecorder.getFlightRecorder().getRecordings().stream()
            .anyMatch(recording -> recording.getState() == RecordingState.RUNNING);
    if (now != isRecording) {
      isRecording = now;
      if (now) {
        Scheduler.attachToAll(maker);
      } else {
        Scheduler.detachFromAll(maker);
      }
    }
  }
}
