package dev.fdfiber.kernel;

import java.util.List;

/**
 * A program to start, for {@link Kernel#posixSpawnp}. It starts with no signal blocked, and with
 * SIGPIPE and SIGXFSZ at their defaults.
 *
 * @param file its name, looked up on {@code PATH} unless it has a slash
 * @param arguments what it sees as its arguments, the first of them its name
 * @param environment its environment, {@code NAME=value} each
 * @param actions what the child does before it executes the program, in this order
 * @param newSession if it starts as the leader of a new session, setsid(2), with the signals of a
 *     terminal at their defaults
 */
public record SpawnRequest(
    String file,
    List<String> arguments,
    List<String> environment,
    List<Action> actions,
    boolean newSession) {

  /** What the child does, posix_spawn_file_actions_init(3) and its neighbours. */
  public sealed interface Action {}

  /** Makes a descriptor another's duplicate that stays open in the program, dup2(2). */
  public record Duplicate(int from, int to) implements Action {}

  /** Opens a file at a number, open(2). The first terminal of a new session becomes its own. */
  public record Open(int fd, String path, int flags) implements Action {}

  /** Closes a descriptor if it is open. */
  public record Close(int fd) implements Action {}

  /** Closes all from a number on; needs glibc 2.34. */
  public record CloseFrom(int fd) implements Action {}

  /** Goes to a directory, chdir(2); needs glibc 2.29. */
  public record Directory(String path) implements Action {}

  /** Makes the lists its own. */
  public SpawnRequest {
    arguments = List.copyOf(arguments);
    environment = List.copyOf(environment);
    actions = List.copyOf(actions);
  }
}
