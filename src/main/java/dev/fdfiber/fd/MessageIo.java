package dev.fdfiber.fd;

import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.Messages;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Messages on a socket: sendmsg(2) and recvmsg(2) with an address and control data. */
final class MessageIo {
  /** So many descriptors go with one message at most, {@code SCM_MAX_FD}, unix(7). */
  static final int MAX_FDS = 253;

  private static final int SENDS = Linux.MSG_NOSIGNAL | Linux.MSG_DONTWAIT;
  private static final int RECEIVES = Linux.MSG_DONTWAIT | Messages.MSG_CMSG_CLOEXEC;

  private MessageIo() {}

  /** What came. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Received(
      byte[] bytes,
      MemorySegment from,
      int fromLength,
      int flags,
      List<Integer> fds,
      int @Nullable [] credentials) {

    boolean is(int flag) {
      return (flags & flag) != 0;
    }
  }

  /** Makes an address where the call wants it. */
  interface Address {
    MemorySegment encode(Arena arena);
  }

  /**
   * Sends in one call; minus EAGAIN when the time is up. The buffer's position moves by what was
   * sent.
   */
  static long send(Fd fd, @Nullable Address to, ByteBuffer bytes, int[] fds, Duration timeout)
      throws IOException {
    return send(fd, to, bytes, fds, call -> fd.await("sendmsg", Scheduler.WRITE, timeout, call));
  }

  /** Sends if that can be done at once. */
  static boolean trySend(Fd fd, Address to, ByteBuffer bytes, int... fds) throws IOException {
    return send(fd, to, bytes, fds, call -> fd.attempt("sendmsg", call)) >= 0;
  }

  /** How a call is made: with waits, or without. */
  private interface Manner {
    long make(LongSupplier call) throws IOException;
  }

  private static long send(Fd fd, @Nullable Address to, ByteBuffer bytes, int[] fds, Manner manner)
      throws IOException {
    if (fds.length > MAX_FDS) {
      throw new IllegalArgumentException(fds.length + " descriptors; a message takes " + MAX_FDS);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = to == null ? MemorySegment.NULL : to.encode(arena);
      MemorySegment data = arena.allocate(Math.max(1, bytes.remaining()));
      data.asByteBuffer().put(bytes.duplicate());
      MemorySegment control = MemorySegment.NULL;
      if (fds.length > 0) {
        control = arena.allocate(Messages.space((long) fds.length * Integer.BYTES), 8);
        Messages.put(control, 0, Linux.SOL_SOCKET, Messages.SCM_RIGHTS, fds);
      }
      MemorySegment message = Messages.encode(arena, name, data, bytes.remaining(), control);
      Kernel kernel = fd.kernel();
      long n = manner.make(() -> kernel.sendmsg(fd.number(), message, SENDS));
      if (n > 0) {
        bytes.position(bytes.position() + (int) n);
      }
      return n;
    }
  }

  /** Receives a message of at most so many bytes and descriptors; null when the time is up. */
  static @Nullable Received receive(Fd fd, Arena arena, int maxBytes, int maxFds, Duration timeout)
      throws IOException {
    if (maxBytes < 0 || maxFds < 0 || maxFds > MAX_FDS) {
      throw new IllegalArgumentException(
          "room for " + maxBytes + " bytes and " + maxFds + " descriptors");
    }
    MemorySegment from = arena.allocate(128, 8); // struct sockaddr_storage
    MemorySegment data = arena.allocate(Math.max(1, maxBytes));
    MemorySegment room = arena.allocate(controlSize(maxFds), 8);
    MemorySegment[] last = new MemorySegment[1];
    Kernel kernel = fd.kernel();
    long n =
        fd.await(
            "recvmsg",
            Scheduler.READ,
            timeout,
            () -> {
              last[0] = Messages.encode(arena, from, data, maxBytes, room);
              return kernel.recvmsg(fd.number(), last[0], RECEIVES);
            });
    return n < 0 ? null : decode(last[0], from, data.asSlice(0, Math.min(n, maxBytes)), room);
  }

  /** For credentials and descriptors; without the former more of the latter fit than wanted. */
  private static long controlSize(int maxFds) {
    return Messages.space(3 * Integer.BYTES) + Messages.space((long) maxFds * Integer.BYTES);
  }

  private static Received decode(
      MemorySegment message, MemorySegment from, MemorySegment data, MemorySegment room) {
    List<Integer> fds = new ArrayList<>();
    int[] credentials = null;
    for (Messages.Control control : Messages.controls(message, room)) {
      if (control.level() == Linux.SOL_SOCKET && control.type() == Messages.SCM_RIGHTS) {
        for (int fd : ints(control.data())) {
          fds.add(fd);
        }
      } else if (control.level() == Linux.SOL_SOCKET
          && control.type() == Messages.SCM_CREDENTIALS) {
        credentials = ints(control.data());
      }
    }
    return new Received(
        data.toArray(ValueLayout.JAVA_BYTE),
        from,
        Messages.nameLength(message),
        Messages.flags(message),
        List.copyOf(fds),
        credentials);
  }

  private static int[] ints(MemorySegment data) {
    return data.asSlice(0, data.byteSize() & ~3L).toArray(ValueLayout.JAVA_INT);
  }
}
