package dev.fdfiber.kernel;

import dev.fdfiber.libc.nlmsghdr;
import dev.fdfiber.libc.sockaddr_nl;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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

  private static final int RTM_GETLINK = 18;
  private static final int RTM_GETADDR = 22;
  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final int NLM_F_REQUEST = 1;
  private static final int NLM_F_DUMP = 0x300;
  private static final int NLM_F_DUMP_INTR = 0x10;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
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

  /** What the kernel is asked to list. */
  public enum Listing {
    LINKS(RTM_GETLINK, IFINFOMSG),
    ADDRESSES(RTM_GETADDR, IFADDRMSG);

    private final int type;
    private final int body;

    Listing(int type, int body) {
      this.type = type;
      this.body = body;
    }

    /** The request, for sendmsg(2); of every family. */
    public byte[] request() {
      int length = (int) nlmsghdr.sizeof() + body;
      return ByteBuffer.allocate(length)
          .order(ByteOrder.nativeOrder())
          .putInt(length)
          .putShort((short) type)
          .putShort((short) (NLM_F_REQUEST | NLM_F_DUMP))
          .array();
    }
  }

  /**
   * What was received of a listing.
   *
   * @param isOver if that was the end
   * @param isConsistent false if something changed meanwhile, so that it has to be asked for again
   * @param errno what went wrong; else 0
   */
  public record Part(boolean isOver, boolean isConsistent, int errno) {}

  /** Takes a message of a type, with its flags. */
  private interface Visitor {
    void visit(int type, int flags, MemorySegment body);
  }

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
    each(received, (type, flags, body) -> decode(type, body, to));
  }

  /** Takes apart what was received of a listing. */
  public static Part decodeListing(byte[] received, Consumer<Message> to) {
    Part[] part = {new Part(false, true, 0)};
    each(
        received,
        (type, flags, body) -> {
          boolean error = type == NLMSG_ERROR || type == NLMSG_DONE;
          int errno = error && body.byteSize() >= 4 ? -body.get(INT, 0) : 0;
          boolean consistent = part[0].isConsistent && (flags & NLM_F_DUMP_INTR) == 0;
          part[0] = new Part(part[0].isOver || error, consistent, Math.max(errno, part[0].errno));
          decode(type, body, to);
        });
    return part[0];
  }

  private static void decode(int type, MemorySegment body, Consumer<Message> to) {
    switch (type) {
      case RTM_NEWLINK, RTM_DELLINK -> to.accept(link(type, body));
      case RTM_NEWADDR, RTM_DELADDR -> to.accept(address(type, body));
      default -> {}
    }
  }

  private static void each(byte[] received, Visitor visitor) {
    MemorySegment all = MemorySegment.ofArray(received);
    long header = nlmsghdr.sizeof();
    for (long offset = 0; offset + header <= received.length; ) {
      long length = Integer.toUnsignedLong(all.get(INT, offset));
      int type = Short.toUnsignedInt(all.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset + 4));
      if (length < header || offset + length > received.length) {
        return;
      }
      int flags = Short.toUnsignedInt(all.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset + 6));
      visitor.visit(type, flags, all.asSlice(offset + header, length - header));
      offset += align(length);
    }
  }

  private static Message link(int type, MemorySegment body) {
    int index = body.get(INT, 4);
    int flags = body.get(INT, 8);
    return new Message(type, index, flags, attributes(body.asSlice(IFINFOMSG)));
  }

  private static Message address(int type, MemorySegment body) {
    int prefix = Byte.toUnsignedInt(body.get(ValueLayout.JAVA_BYTE, 1));
    int index = body.get(INT, 4);
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
