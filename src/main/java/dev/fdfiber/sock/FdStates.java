package dev.fdfiber.sock;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What is kept about descriptors: the receive timeout, how the last call ended, the TLS that it
 * speaks. Any thread.
 *
 * <p>A descriptor is a number, and the process gets the number again. So an entry says which file
 * it is about, {@link FileId}, and whoever finds that another file has the number throws the entry
 * away. A close that the library sees drops it at once; one that it does not see leaves it until
 * the number is used again.
 *
 * <p>Most calls do what they should, and must not pay for that with a system call of their own. So
 * no entry means OK and no timeout: a call that succeeds only looks if there is an entry to
 * correct.
 */
final class FdStates {
  /** Descriptors are the process's, and so is what is known about them. */
  private static final ConcurrentMap<Integer, State> STATES = new ConcurrentHashMap<>();

  private record State(
      FileId file, long recvTimeoutNanos, IoStatus status, @Nullable TlsStream tls) {
    static State nothing(FileId file) {
      return new State(file, -1, IoStatus.OK, null);
    }

    State with(IoStatus other) {
      return status == other ? this : new State(file, recvTimeoutNanos, other, tls);
    }

    State with(long nanos) {
      return new State(file, nanos, status, tls);
    }

    State with(TlsStream stream) {
      return new State(file, recvTimeoutNanos, status, stream);
    }

    boolean saysNothing() {
      return recvTimeoutNanos < 0 && status == IoStatus.OK && tls == null;
    }
  }

  private FdStates() {}

  /** A call did what it should. */
  static void succeeded(int fd) {
    if (!STATES.isEmpty()) {
      STATES.computeIfPresent(fd, (number, state) -> orNothing(state.with(IoStatus.OK)));
    }
  }

  /** A call ended in another way. */
  static void ended(Kernel kernel, int fd, IoStatus how) {
    FileId file = FileId.of(kernel, fd);
    if (file != null) {
      change(fd, file, state -> state.with(how));
    }
  }

  static IoStatus status(Kernel kernel, int fd) {
    if (kernel.fcntl(fd, Linux.F_GETFD, 0) == -Errno.EBADF) {
      STATES.remove(fd);
      return IoStatus.ERROR;
    }
    State state = current(kernel, fd);
    return state == null ? IoStatus.OK : state.status;
  }

  /** Negative is none. */
  static void recvTimeout(int fd, FileId file, long nanos) {
    change(fd, file, state -> state.with(nanos));
  }

  /** Negative is none. */
  static long recvTimeoutNanos(Kernel kernel, int fd) {
    State state = STATES.isEmpty() ? null : current(kernel, fd);
    return state == null ? -1 : state.recvTimeoutNanos;
  }

  /** The descriptor speaks TLS from here on; false if it did already. */
  static boolean startTls(int fd, FileId file, TlsStream stream) {
    change(fd, file, state -> state.tls == null ? state.with(stream) : state);
    State state = STATES.get(fd);
    return state != null && state.tls == stream;
  }

  /** The TLS that the descriptor speaks; null for a plain one. */
  static @Nullable TlsStream tls(Kernel kernel, int fd) {
    State state = STATES.isEmpty() ? null : STATES.get(fd);
    if (state == null || state.tls == null) {
      return null;
    }
    state = current(kernel, fd);
    return state == null ? null : state.tls;
  }

  /** The descriptor is about to be closed. */
  static void drop(int fd) {
    if (!STATES.isEmpty()) {
      STATES.remove(fd);
    }
  }

  private static void change(int fd, FileId file, UnaryOperator<State> how) {
    STATES.compute(
        fd,
        (number, state) -> {
          boolean isSame = state != null && state.file.equals(file);
          return orNothing(how.apply(isSame ? state : State.nothing(file)));
        });
  }

  private static @Nullable State orNothing(State state) {
    return state.saysNothing() ? null : state;
  }

  /** What is known about the file that has the number now. */
  private static @Nullable State current(Kernel kernel, int fd) {
    State state = STATES.get(fd);
    if (state == null || state.file.equals(FileId.of(kernel, fd))) {
      return state;
    }
    STATES.remove(fd, state);
    return null;
  }
}
