package dev.fdfiber;

import dev.fdfiber.kernel.Errno;
import java.io.IOException;

/** A system call failed: which one, on which descriptor, and why. */
public class ErrnoException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  /**
   * A failed call on a descriptor: {@code read(fd 7): EBADF (Bad file descriptor)}.
   *
   * @param call the name of the call
   * @param fd the descriptor
   * @param errno why, as a positive number
   */
  public ErrnoException(String call, int fd, int errno) {
    this(call + "(fd " + fd + ")", errno);
  }

  /**
   * A failed call that was given no descriptor: {@code socket: EMFILE (Too many open files)}.
   *
   * @param call the name of the call, and what it was given
   * @param errno why, as a positive number
   */
  public ErrnoException(String call, int errno) {
    super(call + ": " + Errno.name(errno) + " (" + Errno.text(errno) + ")");
    this.errno = errno;
  }

  /** The error number, positive; see {@link Errno}. */
  public int errno() {
    return errno;
  }

  /** The name of the error number, such as {@code EBADF}, errno(3). */
  public String name() {
    return Errno.name(errno);
  }
}
