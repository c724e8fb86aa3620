package dev.fdfiber.testing;

import dev.fdfiber.testing.Choices.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The deviations of a run, as text {@code o5=1 l9=1}: at the sixth choice of an order the second
 * fiber, at the tenth possibility an early look. Whatever is not in it is the first choice.
 */
final class Schedule {
  static final Schedule NONE = new Schedule(List.of());
  private static final Pattern SPACE = Pattern.compile("\\s+");
  private static final Pattern DEVIATION = Pattern.compile("([a-z])(\\d{1,9})=(\\d{1,9})");

  /** One choice that is not the first: the how manieth of its kind, and which. */
  record Deviation(Kind kind, int at, int choice) {
    @Override
    public String toString() {
      return kind.letter + "" + at + "=" + choice;
    }
  }

  private record Key(Kind kind, int at) {}

  private final List<Deviation> deviations;
  private final Map<Key, Integer> choices = new HashMap<>();

  Schedule(List<Deviation> deviations) {
    this.deviations = List.copyOf(deviations);
    deviations.forEach(d -> choices.put(new Key(d.kind, d.at), d.choice));
  }

  /** Reads what {@link #toString} wrote. */
  static Schedule parse(String text) {
    List<Deviation> deviations = new ArrayList<>();
    for (String word : SPACE.split(text.trim(), -1)) {
      Matcher matcher = DEVIATION.matcher(word);
      Kind kind = matcher.matches() ? kind(matcher.group(1).charAt(0)) : null;
      if (kind == null) {
        throw new IllegalArgumentException(
            "\"" + word + "\" in the schedule \"" + text + "\" is none of o5=1, l5=1, f5=1, n5=1");
      }
      deviations.add(
          new Deviation(
              kind, Integer.parseInt(matcher.group(2)), Integer.parseInt(matcher.group(3))));
    }
    return new Schedule(deviations);
  }

  private static @org.jspecify.annotations.Nullable Kind kind(char letter) {
    for (Kind kind : Kind.values()) {
      if (kind.letter == letter) {
        return kind;
      }
    }
    return null;
  }

  int at(Kind kind, int at) {
    return choices.getOrDefault(new Key(kind, at), 0);
  }

  List<Deviation> deviations() {
    return deviations;
  }

  int size() {
    return deviations.size();
  }

  @Override
  public String toString() {
    return deviations.stream().map(Deviation::toString).collect(Collectors.joining(" "));
  }
}
