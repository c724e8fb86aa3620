package dev.fdfiber.inspect;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A fiber has ended. Off unless a recording enables it. */
@Name("dev.fdfiber.FiberEnd")
@Label("Fiber End")
@Category("fdfiber")
@Description("A fiber has ended")
@Enabled(false)
@StackTrace(false)
final class FiberEndEvent extends Event {
  @Label("Scheduler")
  String scheduler = "";

  @Label("Fiber")
  String fiber = "";

  @Label("Fiber Id")
  long fiberId;

  @Label("Failure")
  @Description("What its body threw, if it did")
  String failure = "";
}
