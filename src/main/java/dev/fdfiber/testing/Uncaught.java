package dev.fdfiber.testing;

import dev.fdfiber.Fiber;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What left the bodies of the test's fibers. An {@link FdTest} that takes it as a parameter looks
 * at these itself; any other fails for them. Any thread.
 */
public final class Uncaught {
  private record Failure(Fiber fiber, Throwable thrown) {}

  private final List<Failure> failures = new CopyOnWriteArrayList<>();

  Uncaught() {}

  void add(Fiber fiber, Throwable thrown) {
    failures.add(new Failure(fiber, thrown));
  }

  /** All of them, in the order in which the fibers ended; but for cancels. */
  public List<Throwable> all() {
    return failures.stream().map(Failure::thrown).toList();
  }

  /** What left the body of the first fiber with that name that failed. */
  public Optional<Throwable> of(String fiberName) {
    return failures.stream()
        .filter(failure -> failure.fiber().name().equals(fiberName))
        .map(Failure::thrown)
        .findFirst();
  }

  /** One error for all of them, or null. */
  @org.jspecify.annotations.Nullable
  AssertionError asError() {
    if (failures.isEmpty()) {
      return null;
    }
    Failure first = failures.getFirst();
    AssertionError error =
        new AssertionError(
            "fiber \"" + first.fiber().name() + "\" failed: " + first.thrown(), first.thrown());
    failures.stream().skip(1).forEach(failure -> error.addSuppressed(failure.thrown()));
    return error;
  }
}
