package dev.fdfiber.kernel;

import dev.fdfiber.libc.sockaddr_in;
import dev.fdfiber.libc.sockaddr_in6;
import dev.fdfiber.libc.sockaddr_storage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteOrder;

/** Internet addresses as {@code struct sockaddr_in} and {@code sockaddr_in6}, ip(7), ipv6(7). */
public final class SocketAddress {
  private static final ValueLayout.OfShort PORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private SocketAddress() {}

  /** The family of an address, for socket(2): {@code AF_INET} or {@code AF_INET6}. */
  public static int family(InetAddress address) {
    return address instanceof Inet4Address ? Linux.AF_INET : Linux.AF_INET6;
  }

  /** Encodes an address and a port; the segment's size is the address length. */
  public static MemorySegment encode(SegmentAllocator allocator, InetAddress address, int port) {
    byte[] bytes = address.getAddress();
    if (address instanceof Inet6Address v6) {
      MemorySegment s = sockaddr_in6.allocate(allocator);
      s.fill((byte) 0);
      sockaddr_in6.sin6_family(s, (short) Linux.AF_INET6);
      s.set(PORT, sockaddr_in6.sin6_port$offset(), (short) port);
      s.asSlice(sockaddr_in6.sin6_addr$offset(), 16).copyFrom(MemorySegment.ofArray(bytes));
      sockaddr_in6.sin6_scope_id(s, v6.getScopeId());
      return s;
    }
    MemorySegment s = sockaddr_in.allocate(allocator);
    s.fill((byte) 0);
    sockaddr_in.sin_family(s, (short) Linux.AF_INET);
    s.set(PORT, sockaddr_in.sin_port$offset(), (short) port);
    s.asSlice(sockaddr_in.sin_addr$offset(), 4).copyFrom(MemorySegment.ofArray(bytes));
    return s;
  }

  /** Room for any address. */
  public static MemorySegment allocate(Arena arena) {
    return sockaddr_storage.allocate(arena);
  }

  /**
   * Decodes what {@link #encode} makes.
   *
   * @throws IllegalArgumentException if the family is neither {@code AF_INET} nor {@code AF_INET6}
   */
  public static InetSocketAddress decode(MemorySegment address) {
    int family = sockaddr_in.sin_family(address);
    long offset;
    int size;
    if (family == Linux.AF_INET) {
      offset = sockaddr_in.sin_addr$offset();
      size = 4;
    } else if (family == Linux.AF_INET6) {
      offset = sockaddr_in6.sin6_addr$offset();
      size = 16;
    } else {
      throw new IllegalArgumentException("not an internet address: family " + family);
    }
    byte[] bytes = address.asSlice(offset, size).toArray(ValueLayout.JAVA_BYTE);
    int port = Short.toUnsignedInt(address.get(PORT, sockaddr_in.sin_port$offset()));
    try {
      int scope = size == 16 ? sockaddr_in6.sin6_scope_id(address) : 0;
      InetAddress ip =
          scope == 0
              ? InetAddress.getByAddress(bytes)
              : Inet6Address.getByAddress(null, bytes, scope); // fe80:: is nowhere without its link
      return new InetSocketAddress(ip, port);
    } catch (UnknownHostException e) {
      throw new AssertionError("4 and 16 bytes are addresses", e);
    }
  }
}
