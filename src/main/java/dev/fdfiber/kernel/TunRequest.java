package dev.fdfiber.kernel;

import dev.fdfiber.libc.LibC;
import dev.fdfiber.libc.ifreq;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** The request for a tun or tap device, the kernel's Documentation/networking/tuntap.rst. */
public final class TunRequest {
  public static final long TUNSETIFF = LibC.TUNSETIFF();
  public static final int IFF_TUN = LibC.IFF_TUN();
  public static final int IFF_TAP = LibC.IFF_TAP();

  /** Packets without four bytes of information before them. */
  public static final int IFF_NO_PI = LibC.IFF_NO_PI();

  /** How many bytes a name has, with the NUL behind it. */
  public static final int IFNAMSIZ = LibC.IFNAMSIZ();

  private TunRequest() {}

  /** A {@code struct ifreq} with a name and flags. */
  public static MemorySegment encode(SegmentAllocator allocator, String name, int flags) {
    MemorySegment request = ifreq.allocate(allocator);
    request.fill((byte) 0);
    request.setString(0, name, StandardCharsets.UTF_8);
    request.set(ValueLayout.JAVA_SHORT, IFNAMSIZ, (short) flags);
    return request;
  }

  /** The name in a request, which the kernel has filled in. */
  public static String name(MemorySegment request) {
    return request.getString(0, StandardCharsets.UTF_8);
  }
}
