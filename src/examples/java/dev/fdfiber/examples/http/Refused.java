package dev.fdfiber.examples.http;

/** A request that is not served, with the status of the answer and the line that says why. */
public final class Refused extends Exception {
  private static final long serialVersionUID = 1L;
  private final int status;

  public Refused(int status, String why) {
    super(why, null, false, false); // an answer, and no fault of the server's: it needs no stack
    this.status = status;
  }

  /** The status, from 400 on. */
  public int status() {
    return status;
  }
}
