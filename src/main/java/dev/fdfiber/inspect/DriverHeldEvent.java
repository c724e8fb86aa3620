package dev.fdfiber.inspect;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A fiber holds its driver for longer than the scheduler's limit, and has not left yet. */
@Name("dev.fdfiber.DriverHeld")
@Label("Driver Held")
@Category("fdfiber")
@Description("A fiber runs for longer than the limit of its scheduler without parking")
@StackTrace(false)
final class DriverHeldEvent extends Event {
  @Label("Scheduler")
  String scheduler = "";

  @Label("Fiber")
  String fiber = "";

  @Label("Fiber Id")
  long fiberId;

  @Label("Held")
  @Description("For how long, at least")
  @Timespan(Timespan.NANOSECONDS)
  long held;

  @Label("Stack")
  @Description("What it does, a line for each frame")
  String stack = "";
}
