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
  private static final int SOCK_RAW = 3;
  private static final int NETLINK_SOCK_DIAG = 4;
  private static final short SOCK_DIAG_BY_FAMILY = 20;
  private static final short NLM_F_REQUEST_DUMP = 0x301;
  private static final int UDIAG_SHOW_PEER = 4;
  private static final int UNIX_DIAG_PEER = 2;
  private static final int HEADER = 16; // struct nlmsghdr
  private static final int REQUEST = 24; // struct unix_diag_req
  private static final int ANSWER = 16; // struct unix_diag_msg
  private static final int LARGEST = 64 * 1024;

  private UnixPeers() {}

  /** Inodes by the inodes of their peers; nothing where the kernel does not tell. */
  static Map<Long, Long> now(Kernel kernel) {
    Map<Long, Long> peers = new HashMap<>();
    int type = SOCK_RAW | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK;
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
        if (!decode(buffer.asSlice(0, n), peers)) {
          break;
        }
      }
    } finally {
      kernel.close(fd);
    }
    return peers;
  }

  private static MemorySegment request(Arena arena) {
    MemorySegment request = arena.allocate(HEADER + REQUEST);
    request.set(ValueLayout.JAVA_INT, 0, HEADER + REQUEST);
    request.set(ValueLayout.JAVA_SHORT, 4, SOCK_DIAG_BY_FAMILY);
    request.set(ValueLayout.JAVA_SHORT, 6, NLM_F_REQUEST_DUMP);
    request.set(ValueLayout.JAVA_BYTE, HEADER, (byte) Linux.AF_UNIX);
    request.set(ValueLayout.JAVA_INT, HEADER + 4, -1); // in whichever state
    request.set(ValueLayout.JAVA_INT, HEADER + 12, UDIAG_SHOW_PEER);
    return request;
  }

  /** Takes one datagram apart; false at the end of the answer. */
  private static boolean decode(MemorySegment datagram, Map<Long, Long> peers) {
    for (long offset = 0; offset + HEADER <= datagram.byteSize(); ) {
      long length = Integer.toUnsignedLong(datagram.get(ValueLayout.JAVA_INT_UNALIGNED, offset));
      int type = datagram.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset + 4);
      if (type != SOCK_DIAG_BY_FAMILY
          || length < HEADER + ANSWER
          || offset + length > datagram.byteSize()) {
        return false; // NLMSG_DONE, NLMSG_ERROR
      }
      MemorySegment answer = datagram.asSlice(offset + HEADER, length - HEADER);
      byte[] peer = Rtnetlink.attributes(answer.asSlice(ANSWER)).get(UNIX_DIAG_PEER);
      if (peer != null && peer.length == Integer.BYTES) {
        long inode = Integer.toUnsignedLong(answer.get(ValueLayout.JAVA_INT_UNALIGNED, 4));
        int other = MemorySegment.ofArray(peer).get(ValueLayout.JAVA_INT_UNALIGNED, 0);
        peers.put(inode, Integer.toUnsignedLong(other));
      }
      offset += Rtnetlink.align(length);
    }
    return true;
  }
}
