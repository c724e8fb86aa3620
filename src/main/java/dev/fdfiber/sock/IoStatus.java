package dev.fdfiber.sock;

/** How the last {@link Sock} call on a descriptor ended; see {@link Sock#ioStatus}. */
public enum IoStatus {
  /** It did what it was to do, or there was none. */
  OK,
  /** It gave up while it waited for something to read: a timeout, a cancel, nobody to accept. */
  WANT_READ,
  /** It gave up while it waited for room to write. */
  WANT_WRITE,
  /** It found the end of the stream. */
  EOF,
  /** It failed, or the descriptor is not open. */
  ERROR
}
