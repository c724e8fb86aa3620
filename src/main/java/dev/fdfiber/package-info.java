/**
 * What users import: the scheduler, its fibers, and the errors they meet.
 *
 * <p>May use {@code dev.fdfiber.poller} and {@code dev.fdfiber.kernel}; never the bindings, and
 * nothing that is built on top of it. Anyone may use it. Two classes hold what only one class may
 * do: {@code VirtualThreads} reflects into {@code java.lang}, {@code SystemClock} reads {@code
 * System.nanoTime}.
 *
 * <p>Read {@code Scheduler} first.
 */
@NullMarked
package dev.fdfiber;

import org.jspecify.annotations.NullMarked;
