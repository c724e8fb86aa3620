package dev.fdfiber.inspect;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A fiber was started. Off unless a recording enables it, as the JDK's own for virtual threads. */
@Name("dev.fdfiber.FiberSpawn")
@Label("Fiber Spawn")
@Category("fdfiber")
@Description("A fiber was started")
@Enabled(false)
@StackTrace(false)
final class FiberSpawnEvent extends Event {
  @Label("Scheduler")
  String scheduler = "";

  @Label("Fiber")
  String fiber = "";

  @Label("Fiber Id")
  long fiberId;
}
