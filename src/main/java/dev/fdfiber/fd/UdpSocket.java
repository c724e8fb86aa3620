package dev.fdfiber.fd;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.Messages;
import dev.fdfiber.kernel.SocketAddress;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;

/** A UDP socket, udp(7), over IPv4 or IPv6. */
public final class UdpSocket implements Closeable {

  /**
   * A datagram that came.
   *
   * @param isTruncated if it had more bytes, which are lost, {@code MSG_TRUNC}, recv(2)
   */
  public record Datagram(ByteBuffer bytes, InetSocketAddress from, boolean isTruncated) {}

  private final Fd fd;

  private UdpSocket(Fd fd) {
    this.fd = fd;
  }

  /**
   * A socket that has no address yet; it gets one when it first sends. Does not suspend.
   *
   * @throws dev.fdfiber.ErrnoException {@code EMFILE}, {@code EAFNOSUPPORT}, socket(2) ERRORS
   * @throws IllegalArgumentException for UNIX
   */
  public static UdpSocket open(StandardProtocolFamily family) throws IOException {
    return open(
        switch (family) {
          case INET -> Linux.AF_INET;
          case INET6 -> Linux.AF_INET6;
          case UNIX -> throw new IllegalArgumentException("UDP over unix sockets; see UnixSocket");
        });
  }

  /**
   * A socket at an address of this machine, {@code 0.0.0.0} or {@code ::} for all; port 0 is any
   * that is free. Does not suspend.
   *
   * @throws dev.fdfiber.ErrnoException {@code EADDRINUSE} if it is taken, {@code EADDRNOTAVAIL} if
   *     it is not this machine's, bind(2) ERRORS
   * @throws IllegalArgumentException if its host is not resolved
   */
  public static UdpSocket bind(InetSocketAddress address) throws IOException {
    UdpSocket socket = open(SocketAddress.family(ip(address)));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment where = encode(arena, address);
      int result = socket.fd.kernel().bind(socket.fd(), where, (int) where.byteSize());
      Fd.check(result, "bind to " + address);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  private static UdpSocket open(int family) throws IOException {
    Kernel kernel = Fd.callersKernel();
    int type = Linux.SOCK_DGRAM | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK;
    return new UdpSocket(Fd.own(kernel, kernel.socket(family, type, 0), "socket"));
  }

  /** The descriptor. */
  public int fd() {
    return fd.number();
  }

  /** The address of this side. */
  public InetSocketAddress localAddress() throws IOException {
    fd.requireOpen();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = SocketAddress.allocate(arena);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) address.byteSize());
      fd.now("getsockname", fd.kernel().getsockname(fd(), address, length));
      return SocketAddress.decode(address);
    }
  }

  /**
   * Says whom to send to and to receive from. Nothing goes out, so nobody need be there: a later
   * call can then get {@code ECONNREFUSED}. Does not suspend.
   */
  public void connect(InetSocketAddress address) throws IOException {
    fd.requireOpen();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment where = encode(arena, address);
      int result = fd.kernel().connect(fd(), where, (int) where.byteSize());
      Fd.check(result, "connect to " + address);
    }
  }

  /**
   * Sends a datagram to where this is connected to; suspends where there is no room.
   *
   * @throws dev.fdfiber.ErrnoException {@code EMSGSIZE} if it is too long, {@code ECONNREFUSED} if
   *     nobody was there for an earlier one, udp(7) ERRORS
   */
  public void send(ByteBuffer bytes) throws IOException {
    MessageIo.send(fd, null, bytes, new int[0], Deadline.NEVER);
  }

  /** Sends a datagram to an address. Throws as {@link #send} does. */
  public void sendTo(InetSocketAddress to, ByteBuffer bytes) throws IOException {
    ip(to);
    MessageIo.send(fd, arena -> encode(arena, to), bytes, new int[0], Deadline.NEVER);
  }

  /**
   * Receives a datagram, its first {@code maxBytes} bytes; suspends until there is one.
   *
   * @throws dev.fdfiber.ErrnoException {@code ECONNREFUSED} where connected, if nobody was there
   *     for what was sent, udp(7) ERRORS
   */
  public Datagram receive(int maxBytes) throws IOException {
    return receive(maxBytes, Deadline.NEVER).orElseThrow();
  }

  /** Like {@link #receive(int)}, for at most a time; empty when that was up. */
  public Optional<Datagram> receive(int maxBytes, Duration timeout) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MessageIo.Received received = MessageIo.receive(fd, arena, maxBytes, 0, timeout);
      return received == null
          ? Optional.empty()
          : Optional.of(
              new Datagram(
                  ByteBuffer.wrap(received.bytes()),
                  SocketAddress.decode(received.from()),
                  received.is(Messages.MSG_TRUNC)));
    }
  }

  /** Closes it. Whoever waits for it gets ClosedChannelException. */
  @Override
  public void close() throws IOException {
    fd.close();
  }

  @Override
  public String toString() {
    return "udp socket " + fd;
  }

  private static MemorySegment encode(Arena arena, InetSocketAddress address) {
    return SocketAddress.encode(arena, ip(address), address.getPort());
  }

  private static InetAddress ip(InetSocketAddress address) {
    InetAddress ip = address.getAddress();
    if (ip == null) {
      throw new IllegalArgumentException(address + " is not resolved");
    }
    return ip;
  }
}
