package dev.fdfiber.inspect;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;
import jdk.jfr.Timespan;

/** A fiber was parked; from when it left the driver until it got its turn again. */
@Name("dev.fdfiber.FiberPark")
@Label("Fiber Park")
@Description("A fiber was parked, until it got its turn again")
@Threshold("20 ms")
final class FiberParkEvent extends FiberEvent {
  @Label("Reason")
  @Description("PAUSED, WAITING_IO, or BLOCKED in a call of the JDK")
  String reason = "";

  @Label("Descriptor")
  @Description("What it waited for; -1 for nothing, or for several")
  int fd;

  @Label("Mode")
  @Description("READ, WRITE or both, with a descriptor")
  String mode = "";

  @Label("Waited")
  @Description("Until it could go on; what is left of the duration it waited for its turn")
  @Timespan(Timespan.NANOSECONDS)
  long waited;

  transient long leftNanos;
  transient boolean hasBegun;
}
