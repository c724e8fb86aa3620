/**
 * What Java alone cannot do, in 40 lines each, with the typed descriptors of {@code
 * dev.fdfiber.fd}: record a terminal, follow a file that is rotated, supervise a server, broker
 * descriptors, answer pings on a device of one's own.
 *
 * <p>They use the library as any user would; nothing may use them.
 *
 * <p>Read {@code TailF} first.
 */
@NullMarked
package dev.fdfiber.examples.fds;

import org.jspecify.annotations.NullMarked;
