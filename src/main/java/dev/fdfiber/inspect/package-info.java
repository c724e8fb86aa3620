/**
 * To see what the fibers of a running program do.
 *
 * <p>Everything here watches a scheduler from outside, through {@link dev.fdfiber.Observer} and the
 * snapshots of {@link dev.fdfiber.Scheduler}; nothing changes the order of resumes, and what is not
 * asked for costs nothing. {@link dev.fdfiber.inspect.Metrics} counts, {@code FlightRecording}
 * makes events for JDK Flight Recorder, {@code ScheduleTrace} writes down a run for a trace viewer,
 * and {@link dev.fdfiber.inspect.Inspector} shows a live page. May use all packages below it; only
 * users may use it. Read {@code Metrics} first.
 */
@NullMarked
package dev.fdfiber.inspect;

import org.jspecify.annotations.NullMarked;
