package dev.fdfiber.testing;

/** A test failed under the choices of a seed, or of a schedule; its cause is how. */
public final class ScheduleError extends AssertionError {
  private static final long serialVersionUID = 1;

  private final String trace;

  ScheduleError(String message, Throwable cause, String trace) {
    super(message, cause);
    this.trace = trace;
  }

  /** All that happened in the run that failed. */
  String trace() {
    return trace;
  }
}
