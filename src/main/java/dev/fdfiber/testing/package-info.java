/**
 * The harness: tries code that works on raw descriptors in JUnit tests that never sleep and can be
 * replayed. {@code @FdTest} gives a test method what it works on, and checks what it leaves behind.
 *
 * <p>May use every other package. JUnit is an optional dependency: it appears in {@code FdTest} and
 * {@code FdTestExtension} alone. Used by tests.
 *
 * <p>Read {@code FdTest} first, then {@code TestRun}; {@code docs/testing.md} teaches it.
 */
@NullMarked
package dev.fdfiber.testing;

import org.jspecify.annotations.NullMarked;
