package dev.fdfiber.inspect;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A scheduler asks for readiness in another way from now on. */
@Name("dev.fdfiber.PollerSwitch")
@Label("Poller Switch")
@Category("fdfiber")
@Description("A scheduler asks for readiness in another way from now on")
@StackTrace(false)
final class PollerSwitchEvent extends Event {
  @Label("Scheduler")
  String scheduler = "";

  @Label("Poller")
  @Description("POLL or EPOLL")
  String poller = "";
}
