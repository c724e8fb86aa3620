package dev.fdfiber.testing;

/** A test left something behind: descriptors, fibers that have not ended, or native memory. */
public final class LeakError extends AssertionError {
  private static final long serialVersionUID = 1;

  LeakError(String message) {
    super(message);
  }
}
