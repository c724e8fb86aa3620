package dev.fdfiber.testing;

/** The body of a test, to be run as often as one likes with what a run gives. */
@FunctionalInterface
interface TestBody {
  void run(TestRun run) throws Throwable;
}
