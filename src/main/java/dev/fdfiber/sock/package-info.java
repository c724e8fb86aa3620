/**
 * Sockets on plain integer descriptors: {@code Sock}, whose calls park the fiber where the system
 * call would block.
 *
 * <p>May use {@code dev.fdfiber} and {@code dev.fdfiber.kernel}; nothing below may use it. Anyone
 * may use it.
 *
 * <p>Read {@code Sock} first.
 */
@NullMarked
package dev.fdfiber.sock;

import org.jspecify.annotations.NullMarked;
