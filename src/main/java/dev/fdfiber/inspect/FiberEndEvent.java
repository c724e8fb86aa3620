package dev.fdfiber.inspect;

import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A fiber has ended. Off unless a recording enables it. */
@Name("dev.fdfiber.FiberEnd")
@Label("Fiber End")
@Description("A fiber has ended")
@Enabled(false)
final class FiberEndEvent extends FiberEvent {
  @Label("Failure")
  @Description("What its body threw, if it did")
  String failure = "";
}
