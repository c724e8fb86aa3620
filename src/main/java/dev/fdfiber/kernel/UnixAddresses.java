package dev.fdfiber.kernel;

import dev.fdfiber.libc.sockaddr_un;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Addresses of unix sockets as {@code struct sockaddr_un}, unix(7). */
public final class UnixAddresses {
  private static final long PATH = sockaddr_un.sun_path$offset();

  /** How many bytes a name has at most: a path needs a NUL behind it, an abstract one before it. */
  public static final int MAX_NAME = (int) (sockaddr_un.sizeof() - PATH) - 1;

  private UnixAddresses() {}

  /** Encodes a name; the segment's size is the address length. */
  public static MemorySegment encode(SegmentAllocator allocator, String name, boolean isAbstract) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    int before = isAbstract ? 1 : 0;
    long size = bytes.length == 0 && !isAbstract ? PATH : PATH + bytes.length + 1;
    MemorySegment s = allocator.allocate(sockaddr_un.sizeof(), 8);
    s.fill((byte) 0);
    sockaddr_un.sun_family(s, (short) Linux.AF_UNIX);
    MemorySegment.copy(bytes, 0, s, ValueLayout.JAVA_BYTE, PATH + before, bytes.length);
    return s.asSlice(0, size);
  }

  /** If an address of a length is an abstract name. */
  public static boolean isAbstract(MemorySegment address, int length) {
    return length > PATH && address.get(ValueLayout.JAVA_BYTE, PATH) == 0;
  }

  /** The name in an address of a length: empty if it has none. */
  public static String name(MemorySegment address, int length) {
    long start = PATH + (isAbstract(address, length) ? 1 : 0);
    long end = Math.min(length, address.byteSize());
    if (start == PATH) {
      for (long i = PATH; i < end; i++) {
        if (address.get(ValueLayout.JAVA_BYTE, i) == 0) {
          end = i;
        }
      }
    }
    byte[] bytes =
        end <= start
            ? new byte[0]
            : address.asSlice(start, end - start).toArray(ValueLayout.JAVA_BYTE);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
