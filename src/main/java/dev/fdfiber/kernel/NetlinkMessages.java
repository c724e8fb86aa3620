package dev.fdfiber.kernel;

import dev.fdfiber.libc.nlmsghdr;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/** Messages of netlink(7), whatever they are about: {@code struct nlmsghdr} and attributes. */
final class NetlinkMessages {
  /** The length of a message's header, before its body. */
  static final int HEADER = (int) nlmsghdr.sizeof();

  static final int NLMSG_ERROR = 2;
  static final int NLMSG_DONE = 3;

  /** Something changed while it was listed, so that it has to be asked for again. */
  static final int NLM_F_DUMP_INTR = 0x10;

  private static final int NLM_F_REQUEST = 1;
  private static final int NLM_F_DUMP = 0x300;

  private static final int ATTRIBUTE = 4; // struct rtattr
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

  private NetlinkMessages() {}

  /** Takes a message of a type, with its flags. */
  interface Visitor {
    void visit(int type, int flags, MemorySegment body);
  }

  /** Asks to list all there is of a type; its body, behind {@link #HEADER}, is zero. */
  static byte[] listRequest(int type, int bodySize) {
    int length = HEADER + bodySize;
    return ByteBuffer.allocate(length)
        .order(ByteOrder.nativeOrder())
        .putInt(0, length)
        .putShort(4, (short) type)
        .putShort(6, (short) (NLM_F_REQUEST | NLM_F_DUMP))
        .array();
  }

  /**
   * Takes a datagram apart, up to a message that is cut short.
   *
   * @return if one of them ends a listing
   */
  static boolean each(MemorySegment datagram, Visitor visitor) {
    boolean isOver = false;
    for (long offset = 0; offset + HEADER <= datagram.byteSize(); ) {
      long length = Integer.toUnsignedLong(datagram.get(INT, offset));
      int type = Short.toUnsignedInt(datagram.get(SHORT, offset + 4));
      int flags = Short.toUnsignedInt(datagram.get(SHORT, offset + 6));
      if (length < HEADER || offset + length > datagram.byteSize()) {
        break;
      }
      visitor.visit(type, flags, datagram.asSlice(offset + HEADER, length - HEADER));
      isOver |= type == NLMSG_DONE || type == NLMSG_ERROR;
      offset += align(length);
    }
    return isOver;
  }

  /** The attributes that a body ends with, by their types. */
  static Map<Integer, byte[]> attributes(MemorySegment all) {
    Map<Integer, byte[]> attributes = new HashMap<>();
    for (long offset = 0; offset + ATTRIBUTE <= all.byteSize(); ) {
      int length = Short.toUnsignedInt(all.get(SHORT, offset));
      int type = Short.toUnsignedInt(all.get(SHORT, offset + 2));
      if (length < ATTRIBUTE || offset + length > all.byteSize()) {
        break;
      }
      attributes.put(
          type, all.asSlice(offset + ATTRIBUTE, length - ATTRIBUTE).toArray(ValueLayout.JAVA_BYTE));
      offset += align(length);
    }
    return attributes;
  }

  private static long align(long length) {
    return (length + 3) & ~3L;
  }
}
