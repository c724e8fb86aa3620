package dev.fdfiber.sock;

import java.io.IOException;

/**
 * The head of a request is over 64 KiB: its empty line did not come in time. What was read is lost,
 * so the connection is good for an answer (431) and a close. Thrown by {@link Sock#readRequest}.
 */
public class RequestTooLargeException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Says that the head is over 64 KiB. */
  public RequestTooLargeException() {
    super("the head of the request is over 64 KiB");
  }
}
