package dev.fdfiber.inspect;

import dev.fdfiber.Fiber;
import dev.fdfiber.Observer;
import dev.fdfiber.PollerKind;
import dev.fdfiber.poller.Wait;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Turns what one scheduler does into events for JDK Flight Recorder. Events with a duration are
 * used again and again, one for each fiber that is parked; so in the long run nothing is allocated
 * but for what gets recorded.
 */
final class FlightObserver implements Observer {
  private final String scheduler;
  private final IdentityHashMap<Fiber, FiberParkEvent> parks = new IdentityHashMap<>();
  private final FiberParkEvent anyPark = new FiberParkEvent();
  private final FiberRunEvent run = new FiberRunEvent();
  private final PassEvent pass = new PassEvent();
  private boolean runHasBegun;
  private boolean passHasBegun;

  FlightObserver(String scheduler) {
    this.scheduler = scheduler;
  }

  @Override
  public void spawned(Fiber fiber, long nanos) {
    FiberSpawnEvent event = new FiberSpawnEvent();
    if (event.isEnabled()) {
      event.isAbout(scheduler, fiber);
      event.commit();
    }
  }

  @Override
  public void resumes(Fiber fiber, long readyNanos, long nanos) {
    FiberParkEvent park = parks.get(fiber);
    if (park != null && park.hasBegun) {
      park.hasBegun = false;
      park.end();
      if (park.shouldCommit()) {
        park.waited = readyNanos - park.leftNanos;
        park.commit();
      }
    }
    runHasBegun = run.isEnabled();
    if (runHasBegun) {
      run.begin();
    }
  }

  @Override
  public void left(Fiber fiber, Fiber.State state, int fd, int mode, long nanos) {
    if (runHasBegun) {
      runHasBegun = false;
      run.end();
      if (run.shouldCommit()) {
        run.isAbout(scheduler, fiber);
        run.commit();
      }
    }
    if (state == Fiber.State.DONE) {
      ended(fiber);
    } else if (state != Fiber.State.READY && anyPark.isEnabled()) {
      FiberParkEvent park = parks.computeIfAbsent(fiber, this::parkOf);
      park.reason = state.name();
      park.fd = fd;
      park.mode = Wait.text(mode);
      park.leftNanos = nanos;
      park.hasBegun = true;
      park.begin();
    }
  }

  private FiberParkEvent parkOf(Fiber fiber) {
    FiberParkEvent park = new FiberParkEvent();
    park.isAbout(scheduler, fiber);
    return park;
  }

  private void ended(Fiber fiber) {
    parks.remove(fiber);
    FiberEndEvent event = new FiberEndEvent();
    if (event.isEnabled()) {
      event.isAbout(scheduler, fiber);
      event.failure = fiber.failure().map(Throwable::toString).orElse("");
      event.commit();
    }
  }

  @Override
  public void looked(int resumed, int woken, long startNanos, long nanos) {
    if (passHasBegun) {
      pass.end();
      if (pass.shouldCommit()) {
        pass.scheduler = scheduler;
        pass.resumed = resumed;
        pass.woken = woken;
        pass.polled = nanos - startNanos;
        pass.commit();
      }
    }
    passHasBegun = pass.isEnabled();
    if (passHasBegun) {
      pass.begin();
    }
  }

  @Override
  public void pollerSwitched(PollerKind kind, long nanos) {
    PollerSwitchEvent event = new PollerSwitchEvent();
    event.scheduler = scheduler;
    event.poller = kind.name();
    event.commit();
  }

  @Override
  public void held(Fiber fiber, long heldNanos, List<StackTraceElement> stack) {
    DriverHeldEvent event = new DriverHeldEvent();
    if (event.isEnabled()) {
      event.isAbout(scheduler, fiber);
      event.held = heldNanos;
      event.stack =
          stack.stream().map(StackTraceElement::toString).collect(Collectors.joining("\n"));
      event.commit();
    }
  }
}
