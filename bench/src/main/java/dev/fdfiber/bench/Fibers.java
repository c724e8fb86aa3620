package dev.fdfiber.bench;

import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The schedulers to measure, by how they poll. */
final class Fibers {
  /** What a scheduler does that nobody chose for. */
  static final String DEFAULT = "default";

  private Fibers() {}

  /** The default, then those that can be forced. */
  static List<String> pollers() {
    List<String> pollers = new ArrayList<>(List.of(DEFAULT));
    for (PollerKind kind : PollerKind.values()) {
      if (!kind.name().equals("AUTO")) { // which is the default
        pollers.add(kind.name());
      }
    }
    return pollers;
  }

  /** What tells a peer with that poller from the one with the default. */
  static String suffix(String poller) {
    return poller.equals(DEFAULT) ? "" : " (" + poller.toLowerCase(Locale.ROOT) + ")";
  }

  static Scheduler scheduler(String poller) {
    Scheduler.Builder builder = Scheduler.builder().name("bench");
    return poller.equals(DEFAULT)
        ? builder.build()
        : builder.poller(PollerKind.valueOf(poller)).build();
  }
}
