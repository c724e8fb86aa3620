package dev.fdfiber.poller;

import dev.fdfiber.kernel.Errno;
import java.util.function.Consumer;

/**
 * Who is ready. Waits are level-triggered and end with the first look that sees them ready: a wait
 * that {@link #poll} reports is no longer registered. All methods are for the driver alone and none
 * but {@code poll} blocks.
 */
public interface Poller extends AutoCloseable {

  /** Registers a wait. Returns 0, or minus errno where the descriptor cannot be waited for. */
  int add(Wait wait);

  /** Takes a registered wait off. */
  void remove(Wait wait);

  /** Takes all waits of a descriptor off and hands them out in the order of registration. */
  void removeAll(int fd, Consumer<Wait> removed);

  /** How many waits are registered. */
  int size();

  /**
   * A descriptor that is readable when a look would see something, for another loop to wait for; or
   * minus errno, {@code ENOSYS} where there is none. It tells of waits registered before the last
   * look, and stays open until close.
   */
  default int pollFd() {
    return -Errno.ENOSYS;
  }

  /** Names the eventfd that ends a blocking {@link #poll}; it stays registered until close. */
  void wakeBy(int eventFd);

  /** If it asks by epoll(7), and not by poll(2) alone. */
  default boolean asksEpoll() {
    return false;
  }

  /** What came of a look. */
  enum Look {
    /** Whoever is ready was handed out; the eventfd was not readable. */
    DONE,
    /** Whoever is ready was handed out; the eventfd was readable. */
    WOKEN,
    /** A signal ended it before it saw anything: only a look that blocks ends so. */
    INTERRUPTED
  }

  /**
   * Looks who is ready, and blocks for at most {@code timeoutNanos} until somebody is; a negative
   * timeout has no end. Every ready wait is taken off and handed out, in no particular order; its
   * {@link Wait#ready} says what was seen.
   */
  Look poll(long timeoutNanos, Consumer<Wait> ready);

  /** If what was closed goes unnoticed unless {@link #sweep} is called once a second. */
  boolean needsSweep();

  /**
   * Looks at some of the descriptors that are waited for, and hands out the waits whose descriptor
   * is closed, or another file by now. Returns if there are more to look at.
   */
  boolean sweep(Consumer<Wait> gone);

  /** Frees native memory; closes no descriptor that it did not make. */
  @Override
  void close();
}
