package dev.fdfiber.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/**
 * Which sockets of the Unix domain are connected to which, as the kernel tells over sock_diag(7).
 * No file in {@code /proc} says it.
 */
final class UnixPeers {
  private static final int NETLINK_SOCK_DIAG = 4;
  private static final int SOCK_DIAG_BY_FAMILY = 20;
  private static final int UDIAG_SHOW_PEER = 4;
  private static final int UNIX_DIAG_PEER = 2;
  private static final int REQUEST = 24; // struct unix_diag_req
  private static final int ANSWER = 16; // struct unix_diag_msg
  private static final int LARGEST = 64 * 1024;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  private UnixPeers() {}

  /** Inodes by the inodes of their peers; nothing where the kernel does not tell. */
  static Map<Long, Long> now(Kernel kernel) {
    Map<Long, Long> peers = new HashMap<>();
    int type = Linux.SOCK_RAW | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK;
    int fd = kernel.socket(Rtnetlink.AF_NETLINK, type, NETLINK_SOCK_DIAG);
    if (fd < 0) {
      return peers;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = request(arena);
      if (kernel.send(fd, request, request.byteSize(), 0) < 0) {
        return peers;
      }
      MemorySegment buffer = arena.allocate(LARGEST);
      for (long n; (n = kernel.recv(fd, buffer, LARGEST, 0)) > 0; ) {
        if (decode(buffer.asSlice(0, n), peers)) {
          break;
        }
      }
    } finally {
      kernel.close(fd);
    }
    return peers;
  }

  /** A {@code struct unix_diag_req}. */
  private static MemorySegment request(Arena arena) {
    byte[] bytes = NetlinkMessages.listRequest(SOCK_DIAG_BY_FAMILY, REQUEST);
    MemorySegment request = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
    MemorySegment body = request.asSlice(NetlinkMessages.HEADER);
    body.set(ValueLayout.JAVA_BYTE, 0, (byte) Linux.AF_UNIX);
    body.set(INT, 4, -1); // in whichever state
    body.set(INT, 12, UDIAG_SHOW_PEER);
    return request;
  }

  /** Takes one datagram apart; true at the end of the answer. */
  private static boolean decode(MemorySegment datagram, Map<Long, Long> peers) {
    return NetlinkMessages.each(
        datagram,
        (type, flags, body) -> {
          if (type == SOCK_DIAG_BY_FAMILY && body.byteSize() >= ANSWER) {
            add(body, peers);
          }
        });
  }

  private static void add(MemorySegment body, Map<Long, Long> peers) {
    byte[] peer = NetlinkMessages.attributes(body.asSlice(ANSWER)).get(UNIX_DIAG_PEER);
    if (peer != null && peer.length == Integer.BYTES) {
      long inode = Integer.toUnsignedLong(body.get(INT, 4));
      peers.put(inode, Integer.toUnsignedLong(MemorySegment.ofArray(peer).get(INT, 0)));
    }
  }
}
