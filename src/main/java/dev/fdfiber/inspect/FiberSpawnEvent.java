package dev.fdfiber.inspect;

import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A fiber was started. Off unless a recording enables it, as the JDK's own for virtual threads. */
@Name("dev.fdfiber.FiberSpawn")
@Label("Fiber Spawn")
@Description("A fiber was started")
@Enabled(false)
final class FiberSpawnEvent extends FiberEvent {}
