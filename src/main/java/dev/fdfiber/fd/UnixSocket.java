package dev.fdfiber.fd;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.FdChannel;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.Messages;
import dev.fdfiber.kernel.SocketOptions;
import dev.fdfiber.kernel.UnixAddresses;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A unix socket, unix(7): streams, datagrams and packets within a machine, with paths or abstract
 * names, that pass descriptors and tell who is at the other end.
 *
 * <p>A stream's bytes go through its {@link #channel}; {@link #send} and {@link #receive} also move
 * descriptors, and keep apart what was sent apart, but on a stream.
 */
public final class UnixSocket implements Closeable {
  /** Its kind, {@code SOCK_STREAM} and so on, socket(2). */
  public enum Type {
    /** Bytes, in order. */
    STREAM(Linux.SOCK_STREAM),
    /** Messages without a connection; here none gets lost, and the order stays. */
    DATAGRAM(2),
    /** Messages on a connection, in order. */
    SEQPACKET(5);

    final int number;

    Type(int number) {
      this.number = number;
    }
  }

  private static final int SO_PASSCRED = 16;
  private static final int BACKLOG = 1024;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(1); // for a full listener
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(32);

  /**
   * A message that came.
   *
   * @param bytes its bytes; none is the end on a connection, or else an empty message
   * @param fds the descriptors that came with it, close-on-exec; they are the receiver's, to close
   * @param from the sender's address; empty where it has none, or on a connection
   * @param credentials who sent it, if {@link #passCredentials} asked for that
   * @param isTruncated if it had more bytes, which are lost, {@code MSG_TRUNC}
   * @param lostFds if more descriptors came than there was room for, {@code MSG_CTRUNC}: they are
   *     all closed again, and {@code fds} is empty
   */
  public record Message(
      ByteBuffer bytes,
      List<Integer> fds,
      Optional<UnixAddress> from,
      Optional<Credentials> credentials,
      boolean isTruncated,
      boolean lostFds) {}

  private final Fd fd;

  private UnixSocket(Fd fd) {
    this.fd = fd;
  }

  // ---- making one

  /**
   * A stream socket that listens. A path must not exist yet: who replaces a server removes its file
   * first. Does not suspend.
   *
   * @throws ErrnoException {@code EADDRINUSE} if it exists, bind(2) ERRORS
   */
  public static UnixSocket listen(UnixAddress address) throws IOException {
    return listen(Type.STREAM, address);
  }

  /** Like {@link #listen(UnixAddress)}, for streams or packets. */
  public static UnixSocket listen(Type type, UnixAddress address) throws IOException {
    UnixSocket socket = bind(type, address);
    try {
      socket.fd.now("listen", socket.fd.kernel().listen(socket.fd(), BACKLOG));
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** A socket with an address, such as one for datagrams. Throws as {@link #listen} does. */
  public static UnixSocket bind(Type type, UnixAddress address) throws IOException {
    UnixSocket socket = open(type);
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

  /** A socket for datagrams that has no address. */
  public static UnixSocket datagram() throws IOException {
    return open(Type.DATAGRAM);
  }

  /**
   * A connected stream socket. Suspends while the listener's queue is full, and then asks again
   * after 1 ms, and after twice that each time, up to 32 ms: the kernel tells nobody but a blocked
   * connect(2) when there is room. So it may come after others that began later.
   *
   * @throws ErrnoException {@code ENOENT} without a file, {@code ECONNREFUSED} without a listener,
   *     connect(2) ERRORS
   */
  public static UnixSocket connect(UnixAddress address) throws IOException {
    return connect(Type.STREAM, address);
  }

  /** Like {@link #connect(UnixAddress)}, for each type. */
  public static UnixSocket connect(Type type, UnixAddress address) throws IOException {
    UnixSocket socket = open(type);
    try {
      socket.connectTo(address);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * A socket from elsewhere: received, inherited, handed over by systemd. Takes it over and makes
   * it non-blocking.
   *
   * @throws IllegalArgumentException if it is not open, or is 0, 1 or 2
   */
  public static UnixSocket own(int fd) {
    return new UnixSocket(Fd.own(Fd.callersKernel(), fd));
  }

  private static UnixSocket open(Type type) throws IOException {
    Kernel kernel = Fd.callersKernel();
    int flags = type.number | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK;
    return new UnixSocket(Fd.own(kernel, kernel.socket(Linux.AF_UNIX, flags, 0), "socket"));
  }

  /**
   * A socket that is refused for a full queue, {@code EAGAIN}, is writable and hung up to poll(2)
   * at once, and an edge of epoll(7) does not follow either when there is room, so it asks again
   * now and then. A datagram socket connects at once.
   */
  private void connectTo(UnixAddress address) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment where = encode(arena, address);
      Duration pause = FIRST_PAUSE;
      while (true) {
        int result = fd.kernel().connect(fd(), where, (int) where.byteSize());
        if (result == -Errno.EAGAIN) {
          pause(pause);
          pause = pause.compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : pause;
        } else if (result != -Errno.EINTR) {
          Fd.check(result, "connect to " + address);
          return;
        }
      }
    }
  }

  private void pause(Duration time) throws InterruptedIOException {
    try {
      Scheduler.pause(time);
    } catch (InterruptedException e) {
      throw Fd.cancelled(fd.call("connect"), e);
    }
  }

  /** The descriptor. */
  public int fd() {
    return fd.number();
  }

  // ---- connections

  /**
   * Takes the next connection; suspends until there is one.
   *
   * @throws ErrnoException {@code EMFILE}, accept(2) ERRORS
   */
  public UnixSocket accept() throws IOException {
    return accept(Deadline.NEVER).orElseThrow();
  }

  /** Like {@link #accept()}, for at most a time; empty when that was up. */
  public Optional<UnixSocket> accept(Duration timeout) throws IOException {
    int flags = Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK;
    Kernel kernel = fd.kernel();
    long result = fd.await("accept", Scheduler.READ, timeout, () -> kernel.accept4(fd(), flags));
    return result < 0
        ? Optional.empty()
        : Optional.of(new UnixSocket(Fd.own(kernel, (int) result, "accept")));
  }

  /** The bytes of a stream, as a channel, the same each time. Its close closes the socket. */
  public FdChannel channel() {
    return fd.channel();
  }

  /** Who is at the other end of a connection: when it was made, {@code SO_PEERCRED}. */
  public Credentials peer() throws IOException {
    fd.requireOpen();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ucred = arena.allocate(3 * Integer.BYTES, 4);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) ucred.byteSize());
      Kernel kernel = fd.kernel();
      fd.now(
          "getsockopt SO_PEERCRED",
          kernel.getsockopt(fd(), Linux.SOL_SOCKET, Linux.SO_PEERCRED, ucred, length));
      return credentials(ucred.toArray(ValueLayout.JAVA_INT));
    }
  }

  /** Ends the sending direction: the other side reads the end of file and can still answer. */
  public void shutdownOutput() throws IOException {
    fd.requireOpen();
    fd.now("shutdown", fd.kernel().shutdown(fd(), Linux.SHUT_WR));
  }

  // ---- messages

  /** Lets messages tell from now on who sent them, {@code SO_PASSCRED}. */
  public void passCredentials() throws IOException {
    fd.requireOpen();
    fd.now(
        "setsockopt SO_PASSCRED",
        SocketOptions.set(fd.kernel(), fd(), Linux.SOL_SOCKET, SO_PASSCRED, 1));
  }

  /**
   * Sends a message on a connection, all of it, with descriptors that stay open here. Suspends
   * where there is no room. On a stream at least a byte must go with descriptors.
   *
   * @throws ErrnoException {@code EPIPE} if nobody is there any more, {@code EMSGSIZE} for too long
   *     a datagram, send(2) ERRORS
   */
  public void send(ByteBuffer bytes, int... fds) throws IOException {
    int[] with = fds;
    do {
      MessageIo.send(fd, null, bytes, with, Deadline.NEVER);
      with = new int[0]; // they went with the first part
    } while (bytes.hasRemaining());
  }

  /**
   * Sends a datagram to an address; suspends where the receiver's queue is full. The kernel tells
   * when it has room only to who is connected, so another socket is connected meanwhile.
   *
   * @throws ErrnoException {@code ECONNREFUSED} if nobody has the address any more, {@code ENOENT},
   *     {@code EMSGSIZE}, send(2) ERRORS; {@code EMFILE} where the queue is full
   */
  public void sendTo(UnixAddress to, ByteBuffer bytes, int... fds) throws IOException {
    while (!trySendTo(to, bytes, fds)) {
      awaitRoom(to);
      if (trySendTo(to, bytes, fds)) {
        return;
      }
      // Then it is rather this socket's own buffer that is full, SO_SNDBUF.
      fd.isReady("wait for room", Scheduler.WRITE, Deadline.NEVER);
    }
  }

  private boolean trySendTo(UnixAddress to, ByteBuffer bytes, int... fds) throws IOException {
    return MessageIo.trySend(fd, arena -> encode(arena, to), bytes, fds);
  }

  private static void awaitRoom(UnixAddress receiver) throws IOException {
    try (UnixSocket connected = open(Type.DATAGRAM);
        Arena arena = Arena.ofConfined()) {
      MemorySegment where = encode(arena, receiver);
      int result = connected.fd.kernel().connect(connected.fd(), where, (int) where.byteSize());
      if (result >= 0) { // else the next send tells why
        connected.fd.isReady("wait for a full queue", Scheduler.WRITE, Deadline.NEVER);
      }
    }
  }

  /**
   * Receives a message: its first {@code maxBytes} bytes, and at most 253 descriptors; on a stream
   * as many bytes as there are. Suspends until there is one.
   *
   * @throws ErrnoException {@code ECONNRESET}, recv(2) ERRORS
   */
  public Message receive(int maxBytes) throws IOException {
    return receive(maxBytes, MessageIo.MAX_FDS, Deadline.NEVER).orElseThrow();
  }

  /**
   * Like {@link #receive(int)}, with at most so many descriptors, and for at most a time; empty
   * when that was up.
   */
  public Optional<Message> receive(int maxBytes, int maxFds, Duration timeout) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MessageIo.Received received = MessageIo.receive(fd, arena, maxBytes, maxFds, timeout);
      return received == null ? Optional.empty() : Optional.of(message(received, maxFds));
    }
  }

  private Message message(MessageIo.Received received, int maxFds) {
    boolean tooMany = received.is(Messages.MSG_CTRUNC) || received.fds().size() > maxFds;
    if (tooMany) {
      received.fds().forEach(fd.kernel()::close);
    }
    return new Message(
        ByteBuffer.wrap(received.bytes()),
        tooMany ? List.of() : received.fds(),
        address(received.from(), received.fromLength()),
        Optional.ofNullable(received.credentials()).map(UnixSocket::credentials),
        received.is(Messages.MSG_TRUNC),
        tooMany);
  }

  /** The address that it was bound to; empty if to none. */
  public Optional<UnixAddress> localAddress() throws IOException {
    fd.requireOpen();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(128, 8);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, 128);
      fd.now("getsockname", fd.kernel().getsockname(fd(), address, length));
      return address(address, length.get(ValueLayout.JAVA_INT, 0));
    }
  }

  /** Closes it. Whoever waits for it gets ClosedChannelException. A path's file stays. */
  @Override
  public void close() throws IOException {
    fd.close();
  }

  @Override
  public String toString() {
    return "unix socket " + fd;
  }

  private static Credentials credentials(int[] ucred) {
    return new Credentials(ucred[0], ucred[1], ucred[2]);
  }

  private static MemorySegment encode(Arena arena, UnixAddress address) {
    return UnixAddresses.encode(arena, address.name(), address.isAbstract());
  }

  private static Optional<UnixAddress> address(@Nullable MemorySegment address, int length) {
    if (address == null || length <= Short.BYTES) {
      return Optional.empty();
    }
    String name = UnixAddresses.name(address, length);
    return Optional.of(new UnixAddress(name, UnixAddresses.isAbstract(address, length)));
  }
}
