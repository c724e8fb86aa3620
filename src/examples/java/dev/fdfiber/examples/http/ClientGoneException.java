package dev.fdfiber.examples.http;

import java.io.IOException;

/** The client has left: nobody reads what is written. Nothing to report, only to stop for. */
public final class ClientGoneException extends IOException {
  private static final long serialVersionUID = 1L;

  ClientGoneException(String why) {
    super(why);
  }

  ClientGoneException(IOException cause) {
    super(cause.getMessage(), cause);
  }
}
