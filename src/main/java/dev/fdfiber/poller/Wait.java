package dev.fdfiber.poller;

import dev.fdfiber.kernel.Errno;
import org.jspecify.annotations.Nullable;

/**
 * One wait for one descriptor: what was asked, and what a poller keeps about it. The waiter extends
 * this class, so that waiting allocates nothing; a wait can be used again once it is over.
 */
public abstract class Wait {
  /** The bit for reading, in a mode. */
  public static final int READ = 1;

  /** The bit for writing, in a mode. */
  public static final int WRITE = 2;

  /** Instead of bits: the descriptor is not open. */
  public static final int NOT_OPEN = -Errno.EBADF;

  private int fd = -1;
  private byte mode;
  private long order;
  private short ready; // bits, or minus errno
  private @Nullable Registration registration;

  // The waits of one descriptor are a list, in the order of their registration.
  @Nullable Wait previous;
  @Nullable Wait next;
  @Nullable Waited waited; // the descriptor's list, while it is registered
  boolean asked; // the kernel was asked about it

  /** A mode for people: READ, WRITE or READ|WRITE; nothing for 0. */
  public static String text(int mode) {
    return switch (mode) {
      case 0 -> "";
      case READ -> "READ";
      case WRITE -> "WRITE";
      default -> "READ|WRITE";
    };
  }

  /** Says what to wait for; {@code order} grows with every registration. */
  public final void ask(int fd, int mode, long order) {
    this.fd = fd;
    this.mode = (byte) mode;
    this.order = order;
    this.ready = 0;
    this.registration = null;
  }

  /** The same, by the owner of the descriptor, who keeps a registration. */
  public final void ask(int fd, int mode, long order, @Nullable Registration registration) {
    ask(fd, mode, order);
    this.registration = registration;
  }

  /** The descriptor. */
  public final int fd() {
    return fd;
  }

  /** What is asked for: READ, WRITE or both. */
  public final int mode() {
    return mode;
  }

  /** The place of this wait among those of the same poller. */
  public final long order() {
    return order;
  }

  /** If a poller has this wait. */
  public final boolean isRegistered() {
    return waited != null;
  }

  /** What was seen: bits of the mode, minus errno, or 0 when nothing was seen yet. */
  public final int ready() {
    return ready;
  }

  final @Nullable Registration registration() {
    return registration;
  }

  final void ready(int seen) {
    this.ready = (short) seen;
  }
}
