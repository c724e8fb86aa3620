/**
 * Sockets on plain integer descriptors: {@code Sock}, whose calls park the fiber where the system
 * call would block; {@code ConnectionPool}, which keeps client connections for the next request;
 * {@code Workers}, a server on several cores.
 *
 * <p>May use {@code dev.fdfiber} and {@code dev.fdfiber.kernel}; nothing below may use it. Anyone
 * may use it.
 *
 * <p>Read {@code Sock} first, then {@code Io}, through which every byte goes, and {@code
 * TlsStream}, which takes its place on a descriptor that speaks TLS.
 */
@NullMarked
package dev.fdfiber.sock;

import org.jspecify.annotations.NullMarked;
