/**
 * Typed descriptors: what Java's own channels cannot wait on, each as a small type with its right
 * ending. Pipes, event counters, timers, processes, watches, terminals, sockets, and {@code
 * Select}, which waits for the first of several.
 *
 * <p>What holds for all: a descriptor is close-on-exec and belongs to its object, whose close can
 * be repeated. A call that waits suspends the calling fiber and outside a fiber blocks the calling
 * thread; a fiber that is cancelled in one gets InterruptedIOException, keeps its interrupt status,
 * and can use the object again. A timeout that is negative has no end. Objects may be used by
 * several fibers of one scheduler.
 *
 * <p>It stands on {@code dev.fdfiber}, whose {@code FdChannel} moves the bytes, and on {@code
 * dev.fdfiber.kernel}; programs use it, and nothing below it may.
 *
 * <p>Read {@code Fd} first, then {@code TimerFd}, which is a whole type on a page.
 */
@NullMarked
package dev.fdfiber.fd;

import org.jspecify.annotations.NullMarked;
