package dev.fdfiber.inspect;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;

/** A fiber had its turn, from resume to park. */
@Name("dev.fdfiber.FiberRun")
@Label("Fiber Run")
@Description("A fiber ran without parking or yielding, and all others of its scheduler waited")
@Threshold("20 ms")
final class FiberRunEvent extends FiberEvent {}
