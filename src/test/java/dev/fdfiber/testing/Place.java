package dev.fdfiber.testing;

import dev.fdfiber.Fiber;
import dev.fdfiber.FiberBody;
import dev.fdfiber.Scheduler;

/** Where code runs: what works in a fiber works outside one too, where it blocks the thread. */
public enum Place {
  FIBER {
    @Override
    public void run(FiberBody body) throws Exception {
      try (Scheduler s = Scheduler.create()) {
        Place.in(s, body);
      }
    }
  },
  OUTSIDE {
    @Override
    public void run(FiberBody body) throws Exception {
      body.run();
    }
  };

  /** Runs the body to its end, and throws what it throws. */
  public abstract void run(FiberBody body) throws Exception;

  /** Runs the body in a fiber of a scheduler, until no fiber is alive; throws what it throws. */
  public static void in(Scheduler s, FiberBody body) throws Exception {
    Fiber fiber = s.spawn("test", body);
    s.run();
    rethrow(fiber);
  }

  /** Throws what the body of a fiber threw. */
  public static void rethrow(Fiber fiber) throws Exception {
    Throwable t = fiber.failure().orElse(null);
    if (t instanceof Error e) {
      throw e;
    }
    if (t instanceof Exception e) {
      throw e;
    }
  }
}
