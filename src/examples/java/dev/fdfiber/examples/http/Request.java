package dev.fdfiber.examples.http;

/** A request: its head, and its body to read. */
public final class Request {
  private final String method;
  private final String target;
  private final int pathLength;
  private final int minor;
  private final Fields fields;
  private final Body body;
  private final boolean keepAlive;

  Request(String method, String target, int minor, Fields fields, Body body, boolean keepAlive) {
    this.method = method;
    this.target = target;
    this.minor = minor;
    this.fields = fields;
    this.body = body;
    this.keepAlive = keepAlive;
    int mark = target.indexOf('?');
    this.pathLength = mark < 0 ? target.length() : mark;
  }

  /** Such as {@code GET}; case counts. */
  public String method() {
    return method;
  }

  /** The path, still percent-encoded; begins with a slash, or is {@code *} for OPTIONS. */
  public String path() {
    return target.substring(0, pathLength);
  }

  /** What follows the question mark, still percent-encoded; empty if there is none. */
  public String query() {
    return pathLength == target.length() ? "" : target.substring(pathLength + 1);
  }

  public Fields fields() {
    return fields;
  }

  public Body body() {
    return body;
  }

  public boolean isHead() {
    return method.equals("HEAD");
  }

  /** If it is of HTTP/1.0, which knows no chunks. */
  boolean isOld() {
    return minor == 0;
  }

  /** If the client wants to go on with the connection. */
  boolean keepsAlive() {
    return keepAlive;
  }

  /**
   * A number in the query, such as {@code ms} in {@code /upstream?ms=500}.
   *
   * @throws Refused 400 if it is no number between the bounds
   */
  public double number(String name, double whenAbsent, double lowest, double highest)
      throws Refused {
    for (String pair : query().split("&", -1)) {
      if (pair.startsWith(name + "=")) {
        return bounded(name, pair.substring(name.length() + 1), lowest, highest);
      }
    }
    return whenAbsent;
  }

  private static double bounded(String name, String text, double lowest, double highest)
      throws Refused {
    try {
      double number = Double.parseDouble(text);
      if (number >= lowest && number <= highest) {
        return number;
      }
    } catch (NumberFormatException e) {
      // is said below
    }
    throw new Refused(400, "%s is a number from %s to %s".formatted(name, lowest, highest));
  }
}
