package dev.fdfiber.kernel;

import dev.fdfiber.libc.LibC;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The signals of signal(7) by their names, with or without the {@code SIG} before. */
public final class SignalNumbers {
  private static final Map<String, Integer> NUMBERS =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("HUP", LibC.SIGHUP()),
              Map.entry("INT", LibC.SIGINT()),
              Map.entry("QUIT", LibC.SIGQUIT()),
              Map.entry("ILL", LibC.SIGILL()),
              Map.entry("TRAP", LibC.SIGTRAP()),
              Map.entry("ABRT", LibC.SIGABRT()),
              Map.entry("BUS", LibC.SIGBUS()),
              Map.entry("FPE", LibC.SIGFPE()),
              Map.entry("KILL", LibC.SIGKILL()),
              Map.entry("USR1", LibC.SIGUSR1()),
              Map.entry("SEGV", LibC.SIGSEGV()),
              Map.entry("USR2", LibC.SIGUSR2()),
              Map.entry("PIPE", LibC.SIGPIPE()),
              Map.entry("ALRM", LibC.SIGALRM()),
              Map.entry("TERM", LibC.SIGTERM()),
              Map.entry("CHLD", LibC.SIGCHLD()),
              Map.entry("CONT", LibC.SIGCONT()),
              Map.entry("STOP", LibC.SIGSTOP()),
              Map.entry("TSTP", LibC.SIGTSTP()),
              Map.entry("TTIN", LibC.SIGTTIN()),
              Map.entry("TTOU", LibC.SIGTTOU()),
              Map.entry("URG", LibC.SIGURG()),
              Map.entry("XCPU", LibC.SIGXCPU()),
              Map.entry("XFSZ", LibC.SIGXFSZ()),
              Map.entry("VTALRM", LibC.SIGVTALRM()),
              Map.entry("PROF", LibC.SIGPROF()),
              Map.entry("WINCH", LibC.SIGWINCH()),
              Map.entry("IO", LibC.SIGIO()),
              Map.entry("PWR", LibC.SIGPWR()),
              Map.entry("SYS", LibC.SIGSYS())));

  private SignalNumbers() {}

  /** A name without the {@code SIG}: {@code "SIGTERM"} and {@code "term"} are {@code "TERM"}. */
  public static String plain(String name) {
    String upper = name.toUpperCase(Locale.ROOT);
    return upper.startsWith("SIG") ? upper.substring(3) : upper;
  }

  /**
   * The number of a signal.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public static int of(String name) {
    Integer number = NUMBERS.get(plain(name));
    if (number == null) {
      throw new IllegalArgumentException("no signal " + name + "; there are " + NUMBERS.keySet());
    }
    return number;
  }

  /** The name of a signal, or its number if it has none here. */
  public static String name(int number) {
    return NUMBERS.entrySet().stream()
        .filter(e -> e.getValue() == number)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseGet(() -> Integer.toString(number));
  }
}
