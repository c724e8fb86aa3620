package dev.fdfiber.inspect;

import dev.fdfiber.Fiber;
import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.StackTrace;

/** An event that is about one fiber, and says which. */
@Category("fdfiber")
@StackTrace(false)
abstract class FiberEvent extends Event {
  @Label("Scheduler")
  String scheduler = "";

  @Label("Fiber")
  String fiber = "";

  @Label("Fiber Id")
  long fiberId;

  /** Fills in whom it is about. */
  final void isAbout(String scheduler, Fiber fiber) {
    this.scheduler = scheduler;
    this.fiber = fiber.name();
    this.fiberId = fiber.id();
  }
}
