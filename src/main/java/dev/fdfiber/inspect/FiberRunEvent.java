package dev.fdfiber.inspect;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;

/** A fiber had its turn, from resume to park. */
@Name("dev.fdfiber.FiberRun")
@Label("Fiber Run")
@Category("fdfiber")
@Description("A fiber ran without parking or yielding, and all others of its scheduler waited")
@Threshold("20 ms")
@StackTrace(false)
final class FiberRunEvent extends Event {
  @Label("Scheduler")
  String scheduler = "";

  @Label("Fiber")
  String fiber = "";

  @Label("Fiber Id")
  long fiberId;
}
