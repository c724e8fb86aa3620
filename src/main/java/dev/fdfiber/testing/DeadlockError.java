package dev.fdfiber.testing;

/** Every fiber waits, no timer runs, and nobody outside the test can wake one. */
public final class DeadlockError extends AssertionError {
  private static final long serialVersionUID = 1;

  DeadlockError(String message) {
    super(message);
  }
}
