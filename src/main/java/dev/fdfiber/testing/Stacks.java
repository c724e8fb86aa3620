package dev.fdfiber.testing;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Stacks as a user wants to read them: what they called of this library or the JDK, then their own
 * frames, without what is below and above.
 */
final class Stacks {
  private static final StackWalker WALKER = StackWalker.getInstance();
  private static final int MOST = 20;

  /** Frames that carry a fiber, or a test. */
  private static final Pattern CARRYING =
      Pattern.compile(
          "dev\\.fdfiber\\.Task|java\\.lang\\.VirtualThread.*|jdk\\.internal\\.(vm|reflect)\\..*"
              + "|java\\.lang\\.(invoke|reflect)\\..*|org\\.junit\\..*");

  /** The library and the JDK; the library's own tests are users of it. */
  private static final Pattern INNER =
      Pattern.compile("(java|javax|jdk|sun)\\..*|(?!.*Test(\\$|$))dev\\.fdfiber\\.(?!examples).*");

  private Stacks() {}

  /** The caller's stack, from the first frame of a user. */
  static List<StackTraceElement> caller(int most) {
    return WALKER.walk(frames ->
        frames
            .map(StackWalker.StackFrame::toStackTraceElement)
            .dropWhile(frame -> is(INNER, frame))
            .takeWhile(frame -> !is(CARRYING, frame))
            .limit(most)
            .toList());
  }

  /** The stack of a thread, from the last call that a user made. */
  static List<StackTraceElement> of(Thread thread) {
    return trimmed(Arrays.asList(thread.getStackTrace()));
  }

  static List<StackTraceElement> trimmed(List<StackTraceElement> stack) {
    int inner = 0;
    while (inner < stack.size() && is(INNER, stack.get(inner))) {
      inner++;
    }
    if (inner == stack.size()) {
      return stack.stream().filter(frame -> !is(CARRYING, frame)).limit(MOST).toList();
    }
    return stack.subList(Math.max(0, inner - 1), stack.size()).stream()
        .takeWhile(frame -> !is(CARRYING, frame))
        .limit(MOST)
        .toList();
  }

  /** One frame a line. */
  static String text(List<StackTraceElement> stack, String lineStart) {
    return stack.stream().map(frame -> lineStart + text(frame)).collect(Collectors.joining());
  }

  /** Without module and class loader. */
  private static String text(StackTraceElement frame) {
    return new StackTraceElement(
            frame.getClassName(), frame.getMethodName(), frame.getFileName(), frame.getLineNumber())
        .toString();
  }

  private static boolean is(Pattern kind, StackTraceElement frame) {
    return kind.matcher(frame.getClassName()).matches();
  }
}
