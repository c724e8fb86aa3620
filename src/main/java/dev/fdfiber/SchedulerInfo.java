package dev.fdfiber;

import java.util.Optional;

/**
 * What a scheduler was doing when the snapshot was taken; weakly consistent, as its parts are read
 * one after the other.
 *
 * @param name its name
 * @param driver the thread that drives it now
 * @param running the fiber that was on that thread
 * @param ready how many fibers wait for their turn
 * @param resumes how many there were, as other threads see it: a little late
 * @param poller how it asks for readiness now, POLL or EPOLL
 */
public record SchedulerInfo(
    String name,
    Optional<Thread> driver,
    Optional<Fiber> running,
    int ready,
    long resumes,
    PollerKind poller) {}
