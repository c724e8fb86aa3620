package dev.fdfiber.examples.http;

/** What answers requests. */
@FunctionalInterface
public interface Handler {
  /**
   * Answers a request; may suspend.
   *
   * @throws Refused for an answer of a status from 400 on
   * @throws Exception anything else is a 500 that ends the connection
   */
  Response answer(Request request) throws Exception;

  /**
   * If the answer to this request comes without suspending. Then earlier answers need not be
   * written first, and pipelined requests are answered together.
   */
  default boolean isInstant(Request request) {
    return false;
  }
}
