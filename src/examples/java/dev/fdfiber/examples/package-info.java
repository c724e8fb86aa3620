/**
 * Programs to read and to run: {@code Hello}, which fits on a screen, and {@code Worker}, which
 * serves streams, long-polls and a batch on one thread.
 *
 * <p>They use the library as any user would and are not part of its jar; nothing may use them.
 *
 * <p>Read {@code Hello} first, then {@code Worker}.
 */
@NullMarked
package dev.fdfiber.examples;

import org.jspecify.annotations.NullMarked;
