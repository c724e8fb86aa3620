package dev.fdfiber.inspect;

import dev.fdfiber.PollerKind;

/**
 * What {@link Metrics} had counted at one moment. The numbers are read one after the other while
 * the scheduler runs, so one may be a little later than another.
 *
 * @param resumes how often a fiber got its turn
 * @param wakeUps how often a fiber that was parked became ready; a yield is none
 * @param spawned fibers that were started
 * @param ended fibers that ended
 * @param looks how often the loop looked for readiness and timers
 * @param pollNanos the time of all looks together, blocked or not
 * @param busyNanos the time of all fibers' turns together
 * @param longestTurnNanos the longest time that a fiber ran without parking or yielding
 * @param alive fibers that are alive
 * @param peakAlive the most that were alive at once
 * @param poller how the loop asks for readiness now
 * @param readyToResume how long fibers that could go on waited for their turn
 */
public record MetricsSnapshot(
    long resumes,
    long wakeUps,
    long spawned,
    long ended,
    long looks,
    long pollNanos,
    long busyNanos,
    long longestTurnNanos,
    int alive,
    int peakAlive,
    PollerKind poller,
    Histogram readyToResume) {}
