package dev.fdfiber.kernel;

import dev.fdfiber.libc.LibC;
import dev.fdfiber.libc.cmsghdr;
import dev.fdfiber.libc.iovec;
import dev.fdfiber.libc.msghdr;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Messages of sendmsg(2) and recvmsg(2): {@code struct msghdr}, and the control data of cmsg(3).
 */
public final class Messages {
  public static final int MSG_TRUNC = LibC.MSG_TRUNC();
  public static final int MSG_CTRUNC = LibC.MSG_CTRUNC();
  public static final int MSG_CMSG_CLOEXEC = LibC.MSG_CMSG_CLOEXEC();
  public static final int SCM_RIGHTS = LibC.SCM_RIGHTS();
  public static final int SCM_CREDENTIALS = LibC.SCM_CREDENTIALS();

  private static final long HEADER = cmsghdr.sizeof();

  private Messages() {}

  /** A piece of control data. */
  public record Control(int level, int type, MemorySegment data) {}

  /**
   * A message over memory of the caller's.
   *
   * @param name the address of the other side, or room for it; NULL for none
   * @param control control data, or room for it; NULL for none
   */
  public static MemorySegment encode(
      Arena arena, MemorySegment name, MemorySegment bytes, long count, MemorySegment control) {
    MemorySegment part = iovec.allocate(arena);
    iovec.iov_base(part, bytes);
    iovec.iov_len(part, count);
    MemorySegment message = msghdr.allocate(arena);
    msghdr.msg_name(message, name);
    msghdr.msg_namelen(message, (int) name.byteSize());
    msghdr.msg_iov(message, part);
    msghdr.msg_iovlen(message, 1);
    msghdr.msg_control(message, control);
    msghdr.msg_controllen(message, control.byteSize());
    return message;
  }

  /** What was told of a received message: {@code MSG_TRUNC}, {@code MSG_CTRUNC}. */
  public static int flags(MemorySegment message) {
    return msghdr.msg_flags(message);
  }

  /** How long the address is that was received. */
  public static int nameLength(MemorySegment message) {
    return msghdr.msg_namelen(message);
  }

  /** How much room one piece of control data takes. */
  public static long space(long dataSize) {
    return HEADER + align(dataSize);
  }

  /** Writes a piece of control data; returns where the next one goes. */
  public static long put(MemorySegment control, long offset, int level, int type, int... data) {
    MemorySegment header = control.asSlice(offset);
    long size = (long) data.length * Integer.BYTES;
    cmsghdr.cmsg_len(header, HEADER + size);
    cmsghdr.cmsg_level(header, level);
    cmsghdr.cmsg_type(header, type);
    MemorySegment.copy(data, 0, header, ValueLayout.JAVA_INT, HEADER, data.length);
    return offset + HEADER + align(size);
  }

  /** The control data of a received message, from the memory that was given for it. */
  public static List<Control> controls(MemorySegment message, MemorySegment control) {
    List<Control> all = new ArrayList<>();
    long end = msghdr.msg_controllen(message);
    long offset = 0;
    while (offset + HEADER <= end) {
      MemorySegment header = control.asSlice(offset);
      long length = Math.min(cmsghdr.cmsg_len(header), end - offset);
      if (length < HEADER) {
        break;
      }
      all.add(
          new Control(
              cmsghdr.cmsg_level(header),
              cmsghdr.cmsg_type(header),
              control.asSlice(offset + HEADER, length - HEADER)));
      offset += align(length);
    }
    return all;
  }

  private static long align(long size) {
    return (size + 7) & ~7L;
  }
}
