package dev.fdfiber.kernel;

import dev.fdfiber.libc.sockaddr_nl;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
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
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final int IFINFOMSG = 16;
  private static final int IFADDRMSG = 8;

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
      return NetlinkMessages.listRequest(type, body);
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
    NetlinkMessages.each(
        MemorySegment.ofArray(received), (type, flags, body) -> decode(type, body, to));
  }

  /** Takes apart what was received of a listing. */
  public static Part decodeListing(byte[] received, Consumer<Message> to) {
    int[] seen = {0, 0}; // the flags of all messages, and what went wrong
    boolean isOver =
        NetlinkMessages.each(
            MemorySegment.ofArray(received),
            (type, flags, body) -> {
              seen[0] |= flags;
              seen[1] = Math.max(seen[1], errno(type, body));
              decode(type, body, to);
            });
    return new Part(isOver, (seen[0] & NetlinkMessages.NLM_F_DUMP_INTR) == 0, seen[1]);
  }

  /** What a message says that went wrong; both ends of a listing begin with it. */
  private static int errno(int type, MemorySegment body) {
    boolean ends = type == NetlinkMessages.NLMSG_ERROR || type == NetlinkMessages.NLMSG_DONE;
    return ends && body.byteSize() >= Integer.BYTES ? -body.get(INT, 0) : 0;
  }

  private static void decode(int type, MemorySegment body, Consumer<Message> to) {
    switch (type) {
      case RTM_NEWLINK, RTM_DELLINK -> to.accept(link(type, body));
      case RTM_NEWADDR, RTM_DELADDR -> to.accept(address(type, body));
      default -> {}
    }
  }

  private static Message link(int type, MemorySegment body) {
    int index = body.get(INT, 4);
    int flags = body.get(INT, 8);
    return new Message(type, index, flags, NetlinkMessages.attributes(body.asSlice(IFINFOMSG)));
  }

  private static Message address(int type, MemorySegment body) {
    int prefix = Byte.toUnsignedInt(body.get(ValueLayout.JAVA_BYTE, 1));
    int index = body.get(INT, 4);
    return new Message(type, index, prefix, NetlinkMessages.attributes(body.asSlice(IFADDRMSG)));
  }
}
