package dev.fdfiber.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The TCP sockets of this machine, as {@code /proc/self/net/tcp} tells, proc(5). */
final class SocketTable {
  private static final Pattern SPACE = Pattern.compile("\\s+");
  private static final String LISTEN = "0A";

  /** A socket: addresses as the kernel writes them, and what it has not yet handed over. */
  private record Row(String local, String remote, String state, boolean inFlight) {}

  private final Map<String, Row> byInode = new HashMap<>();
  private final Set<String> locals = new HashSet<>();

  private SocketTable() {}

  static SocketTable now() {
    SocketTable table = new SocketTable();
    table.read(Path.of("/proc/self/net/tcp"));
    table.read(Path.of("/proc/self/net/tcp6"));
    return table;
  }

  private void read(Path file) {
    try {
      Files.readAllLines(file).stream().skip(1).forEach(this::add);
    } catch (IOException e) {
      // no such protocol here
    }
  }

  // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
  private void add(String line) {
    String[] columns = SPACE.split(line.trim(), -1);
    boolean inFlight = !columns[4].startsWith("00000000:");
    byInode.put(columns[9], new Row(columns[1], columns[2], columns[3], inFlight));
    locals.add(columns[1]);
  }

  /** If a link target is a TCP socket. */
  boolean isTcp(String target) {
    return row(target) != null;
  }

  /** If bytes of some connection are on their way, or were not taken. */
  boolean isAnythingInFlight() {
    return byInode.values().stream().anyMatch(Row::inFlight);
  }

  /** If the peer of a TCP socket is on this machine, or it listens. */
  boolean isLocal(String target) {
    Row row = row(target);
    return row == null || row.state.equals(LISTEN) || locals.contains(row.remote);
  }

  private @Nullable Row row(String target) {
    return target.startsWith("socket:[")
        ? byInode.get(target.substring("socket:[".length(), target.length() - 1))
        : null;
  }
}
