package dev.fdfiber.kernel;

import dev.fdfiber.libc.nlmsghdr;
import dev.fdfiber.libc.sockaddr_nl;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** What the kernel tells of links and addresses, rtnetlink(7). */
public final class Rtnetlink {
  public static final int AF_NETLINK = 16;
  public static final int NETLINK_ROUTE = 0;
  public static final int RTMGRP_LINK = 1;
  public static final int RTMGRP_IPV4_IFADDR = 0x10;
  public static final int RTMGRP_IPV6_IFADDR = 0x100;
  public static final int RTM_NEWLINK = 16;
  public static final int RTM_DELLINK = 17;
  public static final int RTM_NEWADDR = 20;
  public static final int RTM_DELADDR = 21;
  public static final int IFLA_IFNAME = 3;
  public static final int IFA_ADDRESS = 1;
  public static final int IFA_LOCAL = 2;
  public static final int IFF_UP = 1;
  public static final int IFF_RUNNING = 0x40;

  private static final int IFINFOMSG = 16;
  private static final int IFADDRMSG = 8;
  private static final int RTATTR = 4;

  private Rtnetlink() {}

  /**
   * One message.
   *
   * @param index the link's number
   * @param flags a link's {@code IFF_} flags, or an address's prefix length
   * @param attributes by their type
   */
  public record Message(int type, int index, int flags, Map<Integer, byte[]> attributes) {}

  /** The address of a socket that gets the messages of some groups. */
  public static MemorySegment address(SegmentAllocator allocator, int groups) {
    MemorySegment address = sockaddr_nl.allocate(allocator);
    address.fill((byte) 0);
    sockaddr_nl.nl_family(address, (short) AF_NETLINK);
    sockaddr_nl.nl_groups(address, groups);
    return address;
  }

  /** If a message came from the kernel, and not from another process. */
  public static boolean isFromKernel(MemorySegment address) {
    return sockaddr_nl.nl_pid(address) == 0;
  }

  /** Takes apart what was received; messages of other types are passed over. */
  public static void decode(byte[] received, Consumer<Message> to) {
    MemorySegment all = MemorySegment.ofArray(received);
    long header = nlmsghdr.sizeof();
    for (long offset = 0; offset + header <= received.length; ) {
      long length = Integer.toUnsignedLong(all.get(ValueLayout.JAVA_INT_UNALIGNED, offset));
      int type = Short.toUnsignedInt(all.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset + 4));
      if (length < header || offset + length > received.length) {
        return;
      }
      MemorySegment body = all.asSlice(offset + header, length - header);
      switch (type) {
        case RTM_NEWLINK, RTM_DELLINK -> to.accept(link(type, body));
        case RTM_NEWADDR, RTM_DELADDR -> to.accept(address(type, body));
        default -> {}
      }
      offset += align(length);
    }
  }

  private static Message link(int type, MemorySegment body) {
    int index = body.get(ValueLayout.JAVA_INT_UNALIGNED, 4);
    int flags = body.get(ValueLayout.JAVA_INT_UNALIGNED, 8);
    return new Message(type, index, flags, attributes(body.asSlice(IFINFOMSG)));
  }

  private static Message address(int type, MemorySegment body) {
    int prefix = Byte.toUnsignedInt(body.get(ValueLayout.JAVA_BYTE, 1));
    int index = body.get(ValueLayout.JAVA_INT_UNALIGNED, 4);
    return new Message(type, index, prefix, attributes(body.asSlice(IFADDRMSG)));
  }

  static Map<Integer, byte[]> attributes(MemorySegment all) {
    Map<Integer, byte[]> attributes = new HashMap<>();
    for (long offset = 0; offset + RTATTR <= all.byteSize(); ) {
      int length = Short.toUnsignedInt(all.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset));
      int type = Short.toUnsignedInt(all.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset + 2));
      if (length < RTATTR || offset + length > all.byteSize()) {
        break;
      }
      attributes.put(
          type, all.asSlice(offset + RTATTR, length - RTATTR).toArray(ValueLayout.JAVA_BYTE));
      offset += align(length);
    }
    return attributes;
  }

  static long align(long length) {
    return (length + 3) & ~3L;
  }
}
