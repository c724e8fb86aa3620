package dev.fdfiber.fd;

import dev.fdfiber.kernel.UnixAddresses;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Where a unix socket is, unix(7): a path in the file system, or an abstract name, which ends with
 * its socket. A socket that was given none has the empty path.
 *
 * @param name the path, or the abstract name without the NUL before it; UTF-8
 */
public record UnixAddress(String name, boolean isAbstract) {

  /**
   * @throws IllegalArgumentException if it does not fit into a {@code sockaddr_un}
   */
  public UnixAddress {
    int length = name.getBytes(StandardCharsets.UTF_8).length;
    if (length > UnixAddresses.MAX_NAME) {
      throw new IllegalArgumentException(
          "a unix socket's name has at most "
              + UnixAddresses.MAX_NAME
              + " bytes, this one "
              + length
              + ": "
              + name
              + (isAbstract
                  ? ""
                  : "; use a shorter path, or one relative to the working directory"));
    }
    if (!isAbstract && name.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a path with a NUL: " + name);
    }
  }

  /** A path; a socket's file stays when the socket is closed, and then refuses. */
  public static UnixAddress of(Path path) {
    return new UnixAddress(path.toString(), false);
  }

  /** A name in the abstract namespace, which belongs to the network namespace. */
  public static UnixAddress ofAbstract(String name) {
    return new UnixAddress(name, true);
  }

  @Override
  public String toString() {
    return (isAbstract ? "@" : "") + (name.isEmpty() ? "(unnamed)" : name);
  }
}
