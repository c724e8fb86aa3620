/**
 * What the project's own tests share: descriptors to play with, a clock that stands still, kernels
 * that look on, and the check that nothing is left behind. Read {@code Leaks} first.
 */
package dev.fdfiber.testing;
