package dev.fdfiber.sock;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * The descriptors that systemd opened for this process, sd_listen_fds(3): {@code LISTEN_FDS} tells
 * how many, from 3 on, {@code LISTEN_PID} for which process, {@code LISTEN_FDNAMES} their names.
 *
 * <p>sd_listen_fds can unset these, so that neither a later call nor a child takes them for its
 * own. Java cannot change its environment. It need not: children are not who LISTEN_PID names, and
 * what was taken once is remembered here.
 */
final class SystemdSockets {
  private static final int FIRST = 3; // SD_LISTEN_FDS_START

  private static final Set<Integer> TAKEN = ConcurrentHashMap.newKeySet();

  private SystemdSockets() {}

  /** Takes those with one of the names, all if there are no names; makes them close-on-exec. */
  static int[] take(Set<String> names) {
    int[] fds = find(System.getenv(), ProcessHandle.current().pid(), names);
    int[] taken = Arrays.stream(fds).filter(TAKEN::add).toArray();
    for (int fd : taken) {
      Kernel.system().fcntl(fd, Linux.F_SETFD, Linux.FD_CLOEXEC);
    }
    return taken;
  }

  /** Which there are in an environment for a process; none for another, or without systemd. */
  static int[] find(Map<String, String> environment, long pid, Set<String> names) {
    String count = environment.get("LISTEN_FDS");
    if (count == null || !Long.toString(pid).equals(environment.get("LISTEN_PID"))) {
      return new int[0];
    }
    if (!count.matches("\\d{1,6}")) {
      throw new IllegalStateException("LISTEN_FDS is " + count + ", which is no count");
    }
    String[] known = environment.getOrDefault("LISTEN_FDNAMES", "").split(":", -1);
    return IntStream.range(0, Integer.parseInt(count))
        .filter(i -> names.isEmpty() || names.contains(i < known.length ? known[i] : ""))
        .map(i -> FIRST + i)
        .toArray();
  }
}
