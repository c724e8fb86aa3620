package dev.fdfiber;

/** What a fiber does: straight-line code that may throw anything. */
@FunctionalInterface
public interface FiberBody {
  /**
   * Runs once, in the fiber.
   *
   * @throws Exception ends this fiber alone; see {@link Fiber#failure}
   */
  void run() throws Exception;
}
