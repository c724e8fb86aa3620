package dev.fdfiber.kernel;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the open descriptors of this process are, as {@code /proc/self} tells, proc(5). Each table
 * of it is read when it is first asked for, once, so an object is for one look. For one thread at a
 * time; a fiber that asks holds its driver for as long as that takes.
 */
public final class OpenDescriptors {
  private static final Path LINKS = Path.of("/proc/self/fd");
  private static final Path DETAILS = Path.of("/proc/self/fdinfo");
  private static final String LISTING = "/proc/" + ProcessHandle.current().pid() + "/fd";

  private final Map<Integer, String> targets = new HashMap<>();
  private final Map<Integer, String> descriptions = new HashMap<>();
  private @Nullable Map<String, List<Integer>> byTarget;
  private @Nullable SocketTable sockets;

  /** Reads nothing yet. */
  public OpenDescriptors() {}

  /** What a descriptor leads to, such as {@code pipe:[4711]}; empty if it is not open. */
  public static String target(int fd) {
    return target(LINKS.resolve(Integer.toString(fd)));
  }

  private static String target(Path entry) {
    try {
      return Files.readSymbolicLink(entry).toString();
    } catch (IOException e) {
      return ""; // closed meanwhile
    }
  }

  /** All descriptors that are open now, but for that of the listing, and what they lead to. */
  public static Map<Integer, String> targets() throws IOException {
    Map<Integer, String> all = new TreeMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(LINKS)) {
      for (Path entry : entries) {
        String target = target(entry);
        if (!target.isEmpty() && !target.equals(LISTING)) {
          all.put(Integer.valueOf(entry.getFileName().toString()), target);
        }
      }
    }
    return all;
  }

  /** The inode in a target such as {@code socket:[4711]}; -1 where there is none. */
  public static long inode(String target) {
    int open = target.indexOf(":[");
    int close = target.length() - 1;
    boolean digits = open > 0 && target.endsWith("]");
    for (int i = open + 2; digits && i < close; i++) {
      digits = Character.isDigit(target.charAt(i));
    }
    return digits && open + 2 < close ? Long.parseLong(target.substring(open + 2, close)) : -1;
  }

  /**
   * A descriptor in words, such as {@code pipe:[4711] read end}, {@code eventfd, count 0} or {@code
   * tcp 127.0.0.1:5000 → 127.0.0.1:80 ESTABLISHED}.
   */
  public String describe(int fd) {
    return descriptions.computeIfAbsent(fd, this::descriptionOf);
  }

  private String descriptionOf(int fd) {
    String target = targetOf(fd);
    if (target.isEmpty()) {
      return "not open";
    }
    if (target.startsWith("socket:")) {
      String socket = sockets().describe(inode(target));
      return socket == null ? target : socket;
    }
    if (target.startsWith("pipe:")) {
      return target + (isWriteEnd(fd) ? " write end" : " read end");
    }
    if (target.equals("/dev/ptmx") || target.equals("/dev/pts/ptmx")) {
      String index = detail(fd, "tty-index:");
      return index.isEmpty() ? "pty master" : "pty master of /dev/pts/" + index;
    }
    return target.startsWith("anon_inode:") ? anonymous(fd, target) : target;
  }

  private String anonymous(int fd, String target) {
    String kind = target.substring("anon_inode:".length()).replaceAll("[\\[\\]]", "");
    return switch (kind) {
      case "eventfd" -> "eventfd, count " + Long.parseUnsignedLong(orZero(eventCount(fd)), 16);
      case "timerfd" -> "timerfd, " + expiry(detail(fd, "it_value:"));
      case "pidfd" -> "pidfd of process " + detail(fd, "Pid:");
      case "inotify" -> "inotify, " + details(fd, "inotify wd:").size() + " watches";
      default -> kind;
    };
  }

  private static String eventCount(int fd) {
    return detail(fd, "eventfd-count:");
  }

  private static String orZero(String number) {
    return number.isEmpty() ? "0" : number;
  }

  /** As in {@code (1, 500000000)}: seconds and nanoseconds. */
  private static String expiry(String value) {
    String[] parts = value.replaceAll("[() ]", "").split(",", -1);
    if (parts.length != 2) {
      return "unknown";
    }
    double seconds = Long.parseLong(parts[0]) + Long.parseLong(parts[1]) / 1e9;
    return seconds == 0 ? "not set" : String.format(Locale.ROOT, "expires in %.3f s", seconds);
  }

  private static boolean isWriteEnd(int fd) {
    String flags = orZero(detail(fd, "flags:"));
    return (Integer.parseInt(flags, 8) & Linux.O_ACCMODE) == Linux.O_WRONLY;
  }

  /** What {@code /proc/self/fdinfo} says behind a word; nothing if it does not. */
  private static String detail(int fd, String word) {
    List<String> found = details(fd, word);
    return found.isEmpty() ? "" : found.getFirst();
  }

  private static List<String> details(int fd, String word) {
    try {
      return Files.readAllLines(DETAILS.resolve(Integer.toString(fd))).stream()
          .filter(line -> line.startsWith(word))
          .map(line -> line.substring(word.length()).trim())
          .toList();
    } catch (IOException e) {
      return List.of(); // closed meanwhile
    }
  }

  /**
   * The descriptors of this process that are the other end of one: of a pipe or a fifo, of a pair
   * of sockets, of a connection over loopback. Others that are the same end are none.
   */
  public List<Integer> otherEnds(int fd) {
    String target = targetOf(fd);
    if (target.startsWith("pipe:") || (target.startsWith("/") && isFifo(fd))) {
      boolean writes = isWriteEnd(fd);
      return withTarget(target).stream()
          .filter(other -> other != fd && isWriteEnd(other) != writes)
          .toList();
    }
    if (!target.startsWith("socket:")) {
      return List.of();
    }
    OptionalLong peer = sockets().peer(inode(target));
    return peer.isEmpty() ? List.of() : withTarget("socket:[" + peer.getAsLong() + "]");
  }

  private static boolean isFifo(int fd) {
    try {
      Path file = LINKS.resolve(Integer.toString(fd));
      return Files.getAttribute(file, "unix:mode") instanceof Integer mode
          && (mode & Linux.S_IFMT) == Linux.S_IFIFO;
    } catch (IOException e) {
      return false;
    }
  }

  private String targetOf(int fd) {
    return targets.computeIfAbsent(fd, OpenDescriptors::target);
  }

  private List<Integer> withTarget(String target) {
    if (byTarget == null) {
      Map<String, List<Integer>> all = new HashMap<>();
      try {
        targets().forEach((fd, t) -> all.computeIfAbsent(t, k -> new ArrayList<>(1)).add(fd));
      } catch (IOException e) {
        // no descriptor left to list them with
      }
      byTarget = all;
    }
    return Objects.requireNonNull(byTarget).getOrDefault(target, List.of());
  }

  private SocketTable sockets() {
    if (sockets == null) {
      sockets = SocketTable.now();
    }
    return Objects.requireNonNull(sockets);
  }
}
