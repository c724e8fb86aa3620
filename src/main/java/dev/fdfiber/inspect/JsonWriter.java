package dev.fdfiber.inspect;

/** Writes JSON, one value after the other; the commas come by themselves. */
final class JsonWriter {
  private final StringBuilder text = new StringBuilder();
  private boolean first = true;

  JsonWriter open(char bracket) {
    comma();
    text.append(bracket);
    first = true;
    return this;
  }

  JsonWriter close(char bracket) {
    text.append(bracket);
    first = false;
    return this;
  }

  JsonWriter name(String name) {
    value(name);
    text.append(':');
    first = true;
    return this;
  }

  JsonWriter value(long number) {
    comma();
    text.append(number);
    return this;
  }

  /** Nothing. */
  JsonWriter none() {
    comma();
    text.append("null");
    return this;
  }

  JsonWriter value(String string) {
    comma();
    text.append(Json.quoted(string));
    return this;
  }

  private void comma() {
    if (!first) {
      text.append(',');
    }
    first = false;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
