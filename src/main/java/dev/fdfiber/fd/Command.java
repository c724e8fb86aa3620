package dev.fdfiber.fd;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.SpawnRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A program to start, with its words, its descriptors and its environment. Never changes: each
 * method returns another command.
 *
 * <p>The program gets standard input, output and error of this process, unless others are chosen,
 * and those chosen, and no other. Its environment is this process's, with the changes made here.
 */
public final class Command {
  private final List<String> words;
  private final Map<Integer, Integer> fds;
  private final Map<String, String> environment;
  private final @Nullable Path directory;

  private Command(
      List<String> words,
      Map<Integer, Integer> fds,
      Map<String, String> environment,
      @Nullable Path directory) {
    this.words = words;
    this.fds = fds;
    this.environment = environment;
    this.directory = directory;
  }

  /**
   * The program, looked up on {@code PATH} unless it has a slash, and its arguments.
   *
   * @throws IllegalArgumentException without words, or with a NUL in one
   */
  public static Command of(String... words) {
    return of(List.of(words));
  }

  /** Like {@link #of(String...)}. */
  public static Command of(List<String> words) {
    if (words.isEmpty()) {
      throw new IllegalArgumentException("a command needs a program");
    }
    words.forEach(Command::requireNoNul);
    return new Command(List.copyOf(words), Map.of(), System.getenv(), null);
  }

  /**
   * Makes one of this process's descriptors a descriptor of the program. It stays open here; a
   * program expects one that blocks, so not one that a channel owns.
   *
   * @param number what the program knows it as; 0, 1 and 2 are input, output and error
   * @throws IllegalArgumentException if either is negative
   */
  public Command fd(int number, int fd) {
    if (number < 0 || fd < 0) {
      throw new IllegalArgumentException("fd " + fd + " as the program's " + number);
    }
    Map<Integer, Integer> more = new TreeMap<>(fds);
    more.put(number, fd);
    return new Command(words, more, environment, directory);
  }

  /**
   * Sets a variable of its environment.
   *
   * @throws IllegalArgumentException for a name that is empty or has a {@code =}, or for a NUL
   */
  public Command environment(String name, String value) {
    if (name.isEmpty() || name.indexOf('=') >= 0) {
      throw new IllegalArgumentException("no name of a variable: '" + name + "'");
    }
    requireNoNul(name);
    requireNoNul(value);
    Map<String, String> more = new TreeMap<>(environment);
    more.put(name, value);
    return new Command(words, fds, more, directory);
  }

  /** Starts it in a directory; needs glibc 2.29. */
  public Command directory(Path where) {
    return new Command(words, fds, environment, where);
  }

  /**
   * Starts it; blocks the thread for the millisecond or so that this takes.
   *
   * @return the pid
   */
  int start(Kernel kernel) throws IOException {
    return start(kernel, List.of(), false);
  }

  /** The same in a session of its own, after what the child does first of all. */
  int startSession(Kernel kernel, List<SpawnRequest.Action> first) throws IOException {
    return start(kernel, first, true);
  }

  private int start(Kernel kernel, List<SpawnRequest.Action> first, boolean newSession)
      throws IOException {
    int most = Math.max(2, fds.keySet().stream().mapToInt(n -> n).max().orElse(2));
    List<SpawnRequest.Action> actions = new ArrayList<>(first);
    List<Integer> copies = new ArrayList<>();
    try {
      for (Map.Entry<Integer, Integer> entry : fds.entrySet()) {
        // A copy above all numbers that are to be filled, so that none is overwritten too early.
        int copy = kernel.fcntl(entry.getValue(), Linux.F_DUPFD_CLOEXEC, most + 1);
        copies.add(Fd.check(copy, "fcntl F_DUPFD_CLOEXEC(fd " + entry.getValue() + ")"));
        actions.add(new SpawnRequest.Duplicate(copy, entry.getKey()));
      }
      for (int number = 3; number < most; number++) {
        if (!fds.containsKey(number)) {
          actions.add(new SpawnRequest.Close(number));
        }
      }
      actions.add(new SpawnRequest.CloseFrom(most + 1));
      if (directory != null) {
        actions.add(new SpawnRequest.Directory(directory.toString()));
      }
      List<String> variables = new ArrayList<>();
      environment.forEach((name, value) -> variables.add(name + "=" + value));
      SpawnRequest request =
          new SpawnRequest(words.getFirst(), words, variables, actions, newSession);
      return Fd.check(kernel.posixSpawnp(request), "posix_spawnp " + words.getFirst());
    } finally {
      copies.forEach(kernel::close);
    }
  }

  private static void requireNoNul(String word) {
    if (word.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a NUL in '" + word + "'");
    }
  }

  @Override
  public String toString() {
    return String.join(" ", words);
  }
}
