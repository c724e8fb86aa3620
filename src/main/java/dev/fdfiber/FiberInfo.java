package dev.fdfiber;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What a fiber was doing when the snapshot was taken.
 *
 * @param id its {@link Fiber#id}
 * @param name its {@link Fiber#name}
 * @param state its {@link Fiber#state}
 * @param nanosInState how long it has been in that state. Without an {@link Observer} the loop
 *     reads the clock once for each look, so that this is too much by up to the time from the look
 *     before: the time of the fibers that ran since, 64 resumes at most. With one it is exact
 * @param thread its thread; empty for a thread that a fiber started by itself and that has not run
 * @param fd the descriptor that it waits for, if it does and there is but one
 * @param mode READ, WRITE or both, with {@code fd}; otherwise 0
 * @param fds all the descriptors that it waits for
 * @param nanosLeft until its pause or wait is over; negative when it is late; empty without a limit
 * @param joins the {@link Fiber#id} of the fiber whose end it waits for
 * @param parent that of the fiber that forked it into a {@link FiberScope}
 */
public record FiberInfo(
    long id,
    String name,
    Fiber.State state,
    long nanosInState,
    Optional<Thread> thread,
    OptionalInt fd,
    int mode,
    List<Integer> fds,
    OptionalLong nanosLeft,
    OptionalLong joins,
    OptionalLong parent) {}
