/**
 * HTTP/1.1 for servers, RFC 9110 and 9112, on a plain descriptor: {@code HttpService} serves a
 * connection, asks a {@code Handler} for each request, and sends the {@code Response} it gives.
 *
 * <p>Knows nothing of what is served, or of how connections come to be. Uses {@code Sock}, {@code
 * Scheduler} and {@code Workers.Connection} alone; every wait parks the fiber that serves the
 * connection.
 *
 * <p>Read {@code HttpService} first, then {@code HttpConnection}.
 */
@NullMarked
package dev.fdfiber.examples.http;

import org.jspecify.annotations.NullMarked;
