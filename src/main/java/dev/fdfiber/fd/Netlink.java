package dev.fdfiber.fd;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.Messages;
import dev.fdfiber.kernel.Rtnetlink;
import dev.fdfiber.kernel.SocketOptions;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Queue;

/**
 * Changes of network links and addresses as the kernel tells them, rtnetlink(7). For one reader at
 * a time. What is there to begin with, and after a {@link Resync}, {@link #snapshot} lists.
 */
public final class Netlink implements Closeable {
  private static final int LARGEST = 32 * 1024;

  /** What was told. */
  public sealed interface Event {}

  /**
   * A link is new or has changed.
   *
   * @param index its number, which stays when it is renamed
   * @param isUp if somebody has switched it on
   * @param isRunning if it can carry something: the cable is in
   */
  public record LinkChanged(int index, String name, boolean isUp, boolean isRunning)
      implements Event {}

  /** A link is gone. */
  public record LinkRemoved(int index, String name) implements Event {}

  /** A link got an address. */
  public record AddressAdded(int index, InetAddress address, int prefixLength) implements Event {}

  /** A link lost an address. */
  public record AddressRemoved(int index, InetAddress address, int prefixLength) implements Event {}

  /**
   * Changes came faster than they were read, and some are lost, {@code ENOBUFS}: what is known is
   * out of date, and {@link #snapshot} tells it anew. What came before it and was not read yet is
   * dropped.
   */
  public record Resync() implements Event {}

  private final Fd fd;
  private final Queue<Event> pending = new ArrayDeque<>();

  private Netlink(Fd fd) {
    this.fd = fd;
  }

  /**
   * Listens from now on. Needs no privilege. Does not suspend.
   *
   * @throws ErrnoException {@code EMFILE}, socket(2) ERRORS
   */
  public static Netlink open() throws IOException {
    Kernel kernel = Fd.callersKernel();
    Netlink netlink = new Netlink(socket(kernel));
    try (Arena arena = Arena.ofConfined()) {
      int groups =
          Rtnetlink.RTMGRP_LINK | Rtnetlink.RTMGRP_IPV4_IFADDR | Rtnetlink.RTMGRP_IPV6_IFADDR;
      MemorySegment address = Rtnetlink.address(arena, groups);
      netlink.fd.now("bind", kernel.bind(netlink.fd(), address, (int) address.byteSize()));
      return netlink;
    } catch (IOException e) {
      netlink.close();
      throw e;
    }
  }

  private static Fd socket(Kernel kernel) throws IOException {
    int type = Linux.SOCK_RAW | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK;
    int result = kernel.socket(Rtnetlink.AF_NETLINK, type, Rtnetlink.NETLINK_ROUTE);
    return Fd.own(kernel, result, "socket AF_NETLINK");
  }

  /** The descriptor, which is readable when something has changed. */
  public int fd() {
    return fd.number();
  }

  /** How many bytes of changes may wait to be read, {@code SO_RCVBUF}, socket(7). */
  public void receiveBuffer(int bytes) throws IOException {
    fd.requireOpen();
    fd.now(
        "setsockopt SO_RCVBUF",
        SocketOptions.set(fd.kernel(), fd(), Linux.SOL_SOCKET, Linux.SO_RCVBUF, bytes));
  }

  /**
   * What there is now, as if it were new: the links, and then their addresses. Suspends. What
   * changes meanwhile is told by {@link #next} too, so that nothing is missed, and is maybe told
   * twice.
   *
   * @throws ErrnoException {@code EMFILE}, since the kernel is asked on a socket of its own
   */
  public List<Event> snapshot() throws IOException {
    fd.requireOpen();
    List<Event> all = new ArrayList<>();
    try (Fd socket = socket(fd.kernel())) {
      for (Rtnetlink.Listing listing : Rtnetlink.Listing.values()) {
        list(socket, listing, all);
      }
    }
    return all;
  }

  private static void list(Fd socket, Rtnetlink.Listing listing, List<Event> to)
      throws IOException {
    List<Event> listed = new ArrayList<>();
    boolean consistent;
    do {
      listed.clear();
      consistent = true;
      MessageIo.send(socket, null, ByteBuffer.wrap(listing.request()), new int[0], Deadline.NEVER);
      Rtnetlink.Part part;
      do {
        part = receiveListing(socket, listed);
        consistent &= part.isConsistent();
      } while (!part.isOver());
      if (part.errno() != 0) {
        throw new ErrnoException("list " + listing, socket.number(), part.errno());
      }
    } while (!consistent);
    to.addAll(listed);
  }

  private static Rtnetlink.Part receiveListing(Fd socket, List<Event> to) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MessageIo.Received received = MessageIo.receive(socket, arena, LARGEST, 0, Deadline.NEVER);
      if (received == null) {
        throw new AssertionError("a wait without end is over");
      }
      return Rtnetlink.decodeListing(received.bytes(), message -> add(message, to));
    }
  }

  /** The next change; suspends until there is one. */
  public Event next() throws IOException {
    return next(Deadline.NEVER).orElseThrow();
  }

  /** Like {@link #next()}, for at most a time; empty when that was up. */
  public Optional<Event> next(Duration timeout) throws IOException {
    Deadline deadline = Deadline.in(timeout);
    fd.requireOpen();
    while (pending.isEmpty()) {
      if (!receive(deadline.left(), pending)) {
        return Optional.empty();
      }
    }
    return Optional.of(pending.remove());
  }

  /** Takes what there is, or waits for it; false when the time is up. */
  private boolean receive(Duration timeout, Queue<Event> to) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MessageIo.Received received = MessageIo.receive(fd, arena, LARGEST, 0, timeout);
      if (received == null) {
        return false;
      }
      if (received.is(Messages.MSG_TRUNC)) {
        resync(to);
      } else if (Rtnetlink.isFromKernel(received.from())) {
        Rtnetlink.decode(received.bytes(), message -> add(message, to));
      }
      return true;
    } catch (ErrnoException e) {
      if (e.errno() != Errno.ENOBUFS) {
        throw e;
      }
      resync(to);
      return true;
    }
  }

  /**
   * The kernel tells of the loss first, and keeps what it had queued before: that would put back
   * what is over by now.
   */
  private void resync(Queue<Event> to) throws IOException {
    while (receive(Duration.ZERO, new ArrayDeque<>())) {}
    to.add(new Resync());
  }

  private static void add(Rtnetlink.Message message, Collection<Event> to) {
    int index = message.index();
    int flags = message.flags();
    switch (message.type()) {
      case Rtnetlink.RTM_NEWLINK ->
          to.add(
              new LinkChanged(
                  index,
                  name(message),
                  (flags & Rtnetlink.IFF_UP) != 0,
                  (flags & Rtnetlink.IFF_RUNNING) != 0));
      case Rtnetlink.RTM_DELLINK -> to.add(new LinkRemoved(index, name(message)));
      case Rtnetlink.RTM_NEWADDR ->
          address(message).ifPresent(a -> to.add(new AddressAdded(index, a, flags)));
      default -> address(message).ifPresent(a -> to.add(new AddressRemoved(index, a, flags)));
    }
  }

  private static String name(Rtnetlink.Message link) {
    byte[] name = link.attributes().get(Rtnetlink.IFLA_IFNAME);
    return name == null ? "" : new String(name, 0, name.length - 1, StandardCharsets.UTF_8);
  }

  /** The local one: on a point-to-point link the other is the peer's. */
  private static Optional<InetAddress> address(Rtnetlink.Message message) {
    byte[] local = message.attributes().get(Rtnetlink.IFA_LOCAL);
    byte[] bytes = local != null ? local : message.attributes().get(Rtnetlink.IFA_ADDRESS);
    try {
      return bytes == null ? Optional.empty() : Optional.of(InetAddress.getByAddress(bytes));
    } catch (UnknownHostException e) {
      return Optional.empty(); // neither 4 nor 16 bytes
    }
  }

  /** Closes it. Whoever waits for it gets ClosedChannelException. */
  @Override
  public void close() throws IOException {
    fd.close();
  }

  @Override
  public String toString() {
    return "netlink " + fd;
  }
}
