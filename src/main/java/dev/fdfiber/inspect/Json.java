package dev.fdfiber.inspect;

/** Text for JSON. */
final class Json {
  private Json() {}

  /**
   * A string in its quotes: all but printable ASCII is escaped, so it may stand in a script of a
   * page too. Half of a surrogate pair, which is no character, becomes U+FFFD.
   */
  static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (int i = 0; i < text.length(); ) {
      int point = text.codePointAt(i);
      i += Character.charCount(point);
      switch (point) {
        case '"', '\\' -> json.append('\\').append((char) point);
        default -> {
          if (point >= ' ' && point < 0x7f && point != '<') {
            json.append((char) point);
          } else {
            escape(json, point);
          }
        }
      }
    }
    return json.append('"').toString();
  }

  private static void escape(StringBuilder json, int point) {
    boolean isHalf = point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
    for (char unit : Character.toChars(isHalf ? 0xfffd : point)) {
      json.append("\\u%04x".formatted((int) unit));
    }
  }
}
