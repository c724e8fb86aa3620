/**
 * Who is ready: {@code Poller}, which is given waits and tells which are over, and what implements
 * it over {@code Kernel}, one file for each way to ask.
 *
 * <p>May use {@code dev.fdfiber.kernel} only: it knows descriptors and modes, not fibers. Used by
 * {@code dev.fdfiber}; not exported.
 *
 * <p>Read {@code Poller} first.
 */
@NullMarked
package dev.fdfiber.poller;

import org.jspecify.annotations.NullMarked;
