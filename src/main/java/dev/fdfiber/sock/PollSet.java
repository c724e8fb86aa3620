package dev.fdfiber.sock;

import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Arrays;

/**
 * Descriptors to wait for together, any number of them. For one user at a time; holds nothing of
 * the system, so there is nothing to close, and it can be run again.
 */
public final class PollSet {
  private static final int NOT_OPEN = -1;

  private int[] fds = new int[16];
  private int[] modes = new int[16];
  private int[] seen = new int[0];
  private int size;

  /** An empty set. */
  public PollSet() {}

  /** Makes it empty. */
  public void reset() {
    size = 0;
    seen = new int[0];
  }

  /**
   * Adds a descriptor; one may be there more than once.
   *
   * @param mode {@link Scheduler#READ}, {@link Scheduler#WRITE} or both
   * @return its slot: 0 for the first, then 1 and so on
   * @throws IllegalArgumentException for any other mode
   */
  public int add(int fd, int mode) {
    if (mode < Scheduler.READ || mode > (Scheduler.READ | Scheduler.WRITE)) {
      throw new IllegalArgumentException(
          "mode " + mode + " for fd " + fd + "; give READ (1), WRITE (2) or READ | WRITE (3)");
    }
    if (size == fds.length) {
      fds = Arrays.copyOf(fds, 2 * size);
      modes = Arrays.copyOf(modes, 2 * size);
    }
    fds[size] = fd;
    modes[size] = mode;
    return size++;
  }

  /**
   * Suspends until one is ready or in error, or the time is up. A cancel leaves no wait behind.
   *
   * @param timeoutMillis 0 lets one look go by; negative waits without end
   * @return how many are ready or in error, 0 when the time was up
   * @throws InterruptedIOException if the fiber is cancelled; its status stays set
   */
  public int run(int timeoutMillis) throws IOException {
    seen = new int[0];
    Kernel kernel = Io.kernel();
    Deadline deadline = new Deadline(Duration.ofMillis(timeoutMillis));
    try {
      int[] now;
      boolean timeIsUp;
      do {
        boolean[] decrypted = decrypted(kernel);
        Duration left = decrypted.length > 0 ? Duration.ZERO : deadline.left();
        timeIsUp = left.isZero();
        now = Scheduler.ioWaitAny(Arrays.copyOf(fds, size), Arrays.copyOf(modes, size), left);
        for (int i = 0; i < size; i++) {
          now[i] = readable(kernel, i, now[i], decrypted.length > 0 && decrypted[i]);
        }
      } while (!timeIsUp && Arrays.stream(now).allMatch(bits -> bits == 0));
      seen = now;
      return (int) Arrays.stream(now).filter(bits -> bits != 0).count();
    } catch (InterruptedException e) {
      throw Io.cancelled("poll of " + size + " descriptors", 0, e);
    }
  }

  /** Which slots have bytes that came before, decrypted since; empty if none has. */
  private boolean[] decrypted(Kernel kernel) {
    boolean[] decrypted = new boolean[0];
    for (int i = 0; i < size; i++) {
      TlsStream tls = (modes[i] & Scheduler.READ) == 0 ? null : FdStates.tls(kernel, fds[i]);
      if (tls != null && tls.hasNews()) {
        decrypted = decrypted.length == 0 ? new boolean[size] : decrypted;
        decrypted[i] = true;
      }
    }
    return decrypted;
  }

  /** The bits that were seen of a slot; those of a record that holds no data do not count. */
  private int readable(Kernel kernel, int i, int bits, boolean isDecrypted) throws IOException {
    if (isDecrypted) {
      return bits < 0 ? bits : bits | Scheduler.READ;
    }
    TlsStream tls = bits > 0 && (bits & Scheduler.READ) != 0 ? FdStates.tls(kernel, fds[i]) : null;
    return tls == null || tls.isReadable(kernel) ? bits : bits & ~Scheduler.READ;
  }

  /**
   * What the last run saw of a slot: bits of its mode, 0 for nothing or for an error. A hang-up
   * counts as all of the mode, so that the read or write that follows tells the cause.
   *
   * @throws IndexOutOfBoundsException if there is no such slot
   */
  public int ready(int slot) {
    return Math.max(0, seen(slot));
  }

  /**
   * Why a slot can never get ready: {@code EBADF} if its descriptor was not open, or was closed
   * during the run, poll(2) POLLNVAL; 0 if it can.
   *
   * @throws IndexOutOfBoundsException if there is no such slot
   */
  public int error(int slot) {
    return seen(slot) == NOT_OPEN ? Errno.EBADF : 0;
  }

  private int seen(int slot) {
    if (slot < 0 || slot >= size) {
      throw new IndexOutOfBoundsException("slot " + slot + " of " + size);
    }
    return slot < seen.length ? seen[slot] : 0;
  }
}
