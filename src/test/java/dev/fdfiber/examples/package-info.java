/**
 * Tests of the example programs, as their users meet them: over sockets, with curl, and as a
 * process of their own. Read {@code Serving} first.
 */
package dev.fdfiber.examples;
