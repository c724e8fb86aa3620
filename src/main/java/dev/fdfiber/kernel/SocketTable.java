package dev.fdfiber.kernel;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The sockets of this machine, or of the network namespace, as the tables in {@code /proc/self/net}
 * tell, proc(5). Read once; any thread.
 */
public final class SocketTable {
  private static final Pattern SPACE = Pattern.compile("\\s+");
  private static final String LISTENS = "LISTEN";
  private static final List<String> TCP_STATES =
      List.of(
          "",
          "ESTABLISHED",
          "SYN_SENT",
          "SYN_RECV",
          "FIN_WAIT1",
          "FIN_WAIT2",
          "TIME_WAIT",
          "CLOSE",
          "CLOSE_WAIT",
          "LAST_ACK",
          LISTENS,
          "CLOSING",
          "NEW_SYN_RECV");
  private static final Map<String, String> UNIX_TYPES =
      Map.of("0001", "stream", "0002", "dgram", "0005", "seqpacket");
  private static final String UNIX_LISTENS = "00010000"; // SO_ACCEPTCON, in Flags

  private static final Pattern NOWHERE = Pattern.compile("0+:0000");
  private static final Pattern LOOPBACK =
      Pattern.compile("(0{24}01000000|(0{16}FFFF0000)?......7F):.*");

  /** An internet socket: addresses as the kernel writes them, and what is still on its way. */
  private record Internet(
      String protocol, String local, String remote, String state, boolean inFlight) {
    String describe() {
      String here = protocol + " " + address(local);
      boolean connected = !remote.endsWith(":0000");
      String there = connected ? here + " → " + address(remote) : here;
      return protocol.startsWith("tcp") ? there + " " + state : there;
    }
  }

  private final Map<Long, Internet> internet = new HashMap<>();
  private final Map<String, Long> tcpByLocal = new HashMap<>(); // and remote, where connected
  private final Map<Long, String> unix = new HashMap<>();
  private final Set<Long> netlink = new HashSet<>();
  private @Nullable Map<Long, Long> unixPeers;

  private SocketTable() {}

  /** What is there now. */
  public static SocketTable now() {
    SocketTable table = new SocketTable();
    for (String protocol : List.of("tcp", "tcp6", "udp", "udp6")) {
      table.read(protocol, columns -> table.addInternet(protocol, columns));
    }
    table.read("unix", table::addUnix);
    table.read("netlink", columns -> table.netlink.add(Long.valueOf(columns[columns.length - 1])));
    return table;
  }

  private interface Row {
    void add(String[] columns);
  }

  private void read(String name, Row row) {
    try {
      for (String line :
          Files.readAllLines(Path.of("/proc/self/net", name)).stream().skip(1).toList()) {
        row.add(SPACE.split(line.trim(), -1));
      }
    } catch (IOException e) {
      // no such protocol here
    }
  }

  // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
  private void addInternet(String protocol, String[] columns) {
    int state = Integer.parseInt(columns[3], 16);
    String name = state < TCP_STATES.size() ? TCP_STATES.get(state) : columns[3];
    boolean inFlight = protocol.startsWith("tcp") && !columns[4].startsWith("00000000:");
    long inode = Long.parseLong(columns[9]);
    internet.put(inode, new Internet(protocol, columns[1], columns[2], name, inFlight));
    if (protocol.startsWith("tcp")) {
      tcpByLocal.put(columns[1], inode);
      tcpByLocal.put(columns[1] + " " + columns[2], inode);
    }
  }

  // Num RefCount Protocol Flags Type St Inode Path
  private void addUnix(String[] columns) {
    String path = columns.length > 7 ? " " + columns[7] : "";
    String listens = columns[3].equals(UNIX_LISTENS) ? " " + LISTENS : "";
    String type = UNIX_TYPES.getOrDefault(columns[4], columns[4]);
    unix.put(Long.parseLong(columns[6]), "unix " + type + path + listens);
  }

  /**
   * A socket in words, such as {@code tcp 127.0.0.1:5000 → 127.0.0.1:80 ESTABLISHED}; null if the
   * tables do not have it.
   */
  public @Nullable String describe(long inode) {
    Internet row = internet.get(inode);
    return row != null ? row.describe() : unix.get(inode);
  }

  /** If bytes of some TCP connection are on their way, or were not taken. */
  public boolean isAnythingInFlight() {
    return internet.values().stream().anyMatch(Internet::inFlight);
  }

  /** If it is a netlink socket, whose peer is the kernel. */
  public boolean isNetlink(long inode) {
    return netlink.contains(inode);
  }

  /**
   * If nobody on another machine is to send to a socket: a TCP socket listens or has its peer here,
   * a UDP socket has a loopback address; true for other sockets.
   */
  public boolean isLocal(long inode) {
    Internet row = internet.get(inode);
    if (row == null) {
      return true;
    }
    if (row.protocol.startsWith("tcp")) {
      return row.state.equals(LISTENS) || tcpByLocal.containsKey(row.remote);
    }
    return LOOPBACK.matcher(row.local).matches()
        && (NOWHERE.matcher(row.remote).matches() || LOOPBACK.matcher(row.remote).matches());
  }

  /** The socket on this machine that one is connected to, by TCP or in the Unix domain. */
  public OptionalLong peer(long inode) {
    Internet row = internet.get(inode);
    Long peer;
    if (row != null) {
      peer = tcpByLocal.get(row.remote + " " + row.local);
    } else if (unix.containsKey(inode)) {
      peer = unixPeers().get(inode);
    } else {
      peer = null;
    }
    return peer == null ? OptionalLong.empty() : OptionalLong.of(peer);
  }

  private Map<Long, Long> unixPeers() {
    if (unixPeers == null) {
      unixPeers = UnixPeers.now(Kernel.system());
    }
    return Objects.requireNonNull(unixPeers);
  }

  /** As in {@code 0100007F:0050}: words of four bytes in the machine's order, and the port. */
  private static String address(String hex) {
    int colon = hex.indexOf(':');
    byte[] bytes = HexFormat.of().parseHex(hex.substring(0, colon));
    ByteBuffer words = ByteBuffer.wrap(bytes);
    for (int i = 0; i < bytes.length; i += Integer.BYTES) {
      words.order(ByteOrder.BIG_ENDIAN);
      int word = words.getInt(i);
      words.order(ByteOrder.nativeOrder()).putInt(i, word);
    }
    int port = Integer.parseInt(hex.substring(colon + 1), 16);
    return host(bytes) + ":" + port;
  }

  private static String host(byte[] bytes) {
    try {
      String text = InetAddress.getByAddress(bytes).getHostAddress();
      if (!text.contains(":")) {
        return text;
      }
      return "[" + text.replaceFirst("(^|:)0(:0)+(:|$)", "::") + "]";
    } catch (UnknownHostException e) {
      throw new AssertionError("4 and 16 bytes are addresses", e);
    }
  }
}
