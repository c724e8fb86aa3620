package dev.fdfiber.fd;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.Channel;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/**
 * One of two ends: a plain descriptor that blocks, fit for a child process, until somebody asks for
 * an object on it, which makes it non-blocking and takes it over.
 */
final class End<T extends Closeable> implements Closeable {
  /** Makes the object. */
  interface Maker<T> {
    T make(int fd) throws IOException;
  }

  private final Kernel kernel;
  private final int fd;
  private final Maker<T> maker;
  private @Nullable T object;
  private boolean closed;

  End(Kernel kernel, int fd, Maker<T> maker) {
    this.kernel = kernel;
    this.fd = fd;
    this.maker = maker;
  }

  int fd() {
    return fd;
  }

  synchronized T object() throws IOException {
    if (closed && object == null) {
      throw new ClosedChannelException();
    }
    if (object == null) {
      object = maker.make(fd);
    }
    return object;
  }

  /** If the number is still this end's. */
  synchronized boolean isOpen() {
    return !closed && !(object instanceof Channel channel && !channel.isOpen());
  }

  @Override
  public synchronized void close() throws IOException {
    if (object != null) {
      object.close();
    } else if (!closed) {
      Scheduler.closing(fd);
      int result = kernel.close(fd);
      closed = true;
      if (result < 0) {
        throw new ErrnoException("close", fd, -result);
      }
    }
    closed = true;
  }

  /** Closes both, also when the first fails. */
  static void closeBoth(Closeable first, Closeable second) throws IOException {
    try (second) {
      first.close();
    }
  }
}
