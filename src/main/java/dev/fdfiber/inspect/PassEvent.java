package dev.fdfiber.inspect;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;
import jdk.jfr.Timespan;

/** What went on from the end of one look to the end of the next. */
@Name("dev.fdfiber.Pass")
@Label("Pass")
@Category("fdfiber")
@Description("From one look for readiness and timers to the end of the next")
@Threshold("20 ms")
@StackTrace(false)
final class PassEvent extends Event {
  @Label("Scheduler")
  String scheduler = "";

  @Label("Resumed")
  @Description("Turns that fibers got")
  int resumed;

  @Label("Woken")
  @Description("Fibers that became ready by the look")
  int woken;

  @Label("Polled")
  @Description("The part of the duration that the look took, most of it blocked")
  @Timespan(Timespan.NANOSECONDS)
  long polled;
}
