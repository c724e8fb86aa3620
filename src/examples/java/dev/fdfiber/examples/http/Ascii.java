package dev.fdfiber.examples.http;

import java.util.BitSet;

/** The character classes of RFC 9110 section 5.6 and RFC 3986, on bytes. */
final class Ascii {
  private static final boolean[] TOKEN = table("!#$%&'*+-.^_`|~", true);
  private static final boolean[] HOST = table("-._~!$&'()*+,;=%:[]", true);

  private Ascii() {}

  private static boolean[] table(String marks, boolean letters) {
    BitSet set = new BitSet();
    marks.chars().forEach(set::set);
    if (letters) {
      set.set('0', '9' + 1);
      set.set('A', 'Z' + 1);
      set.set('a', 'z' + 1);
    }
    boolean[] table = new boolean[256];
    set.stream().forEach(i -> table[i] = true);
    return table;
  }

  /** If it may be in a token, such as the name of a field. */
  static boolean isToken(byte b) {
    return TOKEN[b & 0xff];
  }

  /** If it may be in a host with its port. */
  static boolean isHost(byte b) {
    return HOST[b & 0xff];
  }

  /** If it is of no control character; a tab is none here, and what is not ASCII is opaque. */
  static boolean isText(byte b) {
    return b >= ' ' ? b != 0x7f : b < 0 || b == '\t';
  }

  static boolean isBlank(byte b) {
    return b == ' ' || b == '\t';
  }

  /** The value of a hexadecimal digit, or -1. */
  static int hex(byte b) {
    return b > 0 ? Character.digit(b, 16) : -1;
  }

  /** Compares with a text that is ASCII. */
  static boolean equalsIgnoreCase(byte[] bytes, int from, int to, String text) {
    if (to - from != text.length()) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      if (lower(bytes[from + i]) != lower((byte) text.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  private static int lower(byte b) {
    return b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b;
  }
}
