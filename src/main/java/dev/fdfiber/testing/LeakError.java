package dev.fdfiber.testing;

/** A test left something behind: descriptors, or fibers that have not ended. */
public final class LeakError extends AssertionError {
  private static final long serialVersionUID = 1;

  LeakError(String message) {
    super(message);
  }
}
