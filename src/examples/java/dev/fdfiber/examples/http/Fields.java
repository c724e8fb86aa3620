package dev.fdfiber.examples.http;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The fields of a head, as places in its bytes; texts are made of those that are asked for. */
public final class Fields {
  private static final int PLACES = 4; // name from, name to, value from, value to

  private final byte[] bytes;
  private int[] places = new int[8 * PLACES];
  private int count;

  Fields(byte[] bytes) {
    this.bytes = bytes;
  }

  void add(int nameFrom, int nameTo, int valueFrom, int valueTo) {
    int i = count * PLACES;
    if (i == places.length) {
      places = Arrays.copyOf(places, 2 * i);
    }
    places[i] = nameFrom;
    places[i + 1] = nameTo;
    places[i + 2] = valueFrom;
    places[i + 3] = valueTo;
    count++;
  }

  /** How many lines there are. */
  public int count() {
    return count;
  }

  /** The name of a line, as it came. */
  public String name(int line) {
    return text(places[line * PLACES], places[line * PLACES + 1]);
  }

  /** The value of a line, without the white space around it; its bytes are characters. */
  public String value(int line) {
    return text(places[line * PLACES + 2], places[line * PLACES + 3]);
  }

  /** The value of the first line with that name, in whatever case. */
  public Optional<String> first(String name) {
    for (int line = 0; line < count; line++) {
      if (is(line, name)) {
        return Optional.of(value(line));
      }
    }
    return Optional.empty();
  }

  /** The values of all lines with that name, in their order. */
  public List<String> all(String name) {
    List<String> values = new ArrayList<>();
    for (int line = 0; line < count; line++) {
      if (is(line, name)) {
        values.add(value(line));
      }
    }
    return values;
  }

  /** If a list such as Connection's has this element; {@code token} is in lower case. */
  boolean has(String name, String token) {
    for (int line = 0; line < count; line++) {
      if (is(line, name)) {
        for (String element : value(line).split(",", -1)) {
          if (element.strip().toLowerCase(Locale.ROOT).equals(token)) {
            return true;
          }
        }
      }
    }
    return false;
  }

  boolean is(int line, String name) {
    int from = places[line * PLACES];
    return Ascii.equalsIgnoreCase(bytes, from, places[line * PLACES + 1], name);
  }

  private String text(int from, int to) {
    return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
  }
}
