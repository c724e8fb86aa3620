package dev.fdfiber.fd;

import dev.fdfiber.FdChannel;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.TunRequest;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * A network device whose cable is this object: what the machine sends through it is read here, and
 * what is written here arrives. A read gives one packet, a write takes one. The device is gone when
 * this is closed; its addresses and routes are made as for any other, by ip(8).
 */
public final class Tun implements Closeable {
  /** What goes through it. */
  public enum Kind {
    /** IP packets. */
    TUN(TunRequest.IFF_TUN),
    /** Ethernet frames. */
    TAP(TunRequest.IFF_TAP);

    private final int flag;

    Kind(int flag) {
      this.flag = flag;
    }
  }

  private final Fd fd;
  private final String name;

  private Tun(Fd fd, String name) {
    this.fd = fd;
    this.name = name;
  }

  /**
   * Makes a device. Does not suspend.
   *
   * @param name its name; with {@code %d} in it, or if it is empty, the kernel chooses a number
   * @throws dev.fdfiber.ErrnoException {@code EPERM} without the capability CAP_NET_ADMIN, {@code
   *     EBUSY} if there is one of that name, {@code ENOENT} if there is no /dev/net/tun
   * @throws IllegalArgumentException if the name has more than 15 bytes
   */
  public static Tun open(Kind kind, String name) throws IOException {
    int length = name.getBytes(StandardCharsets.UTF_8).length;
    if (length >= TunRequest.IFNAMSIZ || name.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a device's name has at most 15 bytes: " + name);
    }
    Kernel kernel = Fd.callersKernel();
    int flags = Linux.O_RDWR | Linux.O_CLOEXEC | Linux.O_NONBLOCK;
    try (Arena arena = Arena.ofConfined()) {
      int opened = kernel.open(arena.allocateFrom("/dev/net/tun"), flags, 0);
      Fd fd = Fd.own(kernel, opened, "open /dev/net/tun" + hint(opened));
      MemorySegment request = TunRequest.encode(arena, name, kind.flag | TunRequest.IFF_NO_PI);
      int result = kernel.ioctl(fd.number(), TunRequest.TUNSETIFF, request);
      if (result < 0) {
        fd.close();
      }
      Fd.check(result, "ioctl TUNSETIFF " + name + hint(result));
      return new Tun(fd, TunRequest.name(request));
    }
  }

  private static String hint(int result) {
    return result == -Errno.EPERM || result == -Errno.EACCES ? " (needs CAP_NET_ADMIN)" : "";
  }

  /** The descriptor. */
  public int fd() {
    return fd.number();
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** Its packets: one for each read, cut to the buffer, and one for each write. */
  public FdChannel channel() {
    return fd.channel();
  }

  /** Closes it, and the device is gone. Whoever waits for it gets ClosedChannelException. */
  @Override
  public void close() throws IOException {
    fd.close();
  }

  @Override
  public String toString() {
    return "device " + name + ", " + fd;
  }
}
