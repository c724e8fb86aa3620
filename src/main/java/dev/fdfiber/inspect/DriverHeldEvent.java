package dev.fdfiber.inspect;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Timespan;

/** A fiber holds its driver for longer than the scheduler's limit, and has not left yet. */
@Name("dev.fdfiber.DriverHeld")
@Label("Driver Held")
@Description("A fiber runs for longer than the limit of its scheduler without parking")
final class DriverHeldEvent extends FiberEvent {
  @Label("Held")
  @Description("For how long, at least")
  @Timespan(Timespan.NANOSECONDS)
  long held;

  @Label("Stack")
  @Description("What it does, a line for each frame")
  String stack = "";
}
