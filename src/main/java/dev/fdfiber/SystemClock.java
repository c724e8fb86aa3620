package dev.fdfiber;

/** The one place that asks the machine for the time. */
enum SystemClock implements Clock {
  INSTANCE;

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }
}
