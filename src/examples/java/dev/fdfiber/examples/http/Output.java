package dev.fdfiber.examples.http;

import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.util.Arrays;

/**
 * What goes to the client: collected, so that a head and its body, or the answers to pipelined
 * requests, are one write.
 */
final class Output {
  /** What is longer is not worth a copy. */
  static final int SMALL = 32 * 1024;

  private static final int START = 512;

  private final int fd;
  private byte[] bytes = new byte[START];
  private int size;

  Output(int fd) {
    this.fd = fd;
  }

  int fd() {
    return fd;
  }

  /** Adds bytes; writes what was there before if it is much. */
  void add(byte[] more) throws IOException {
    if (size + more.length > 2 * SMALL) {
      flush();
    }
    if (more.length > SMALL) {
      flush();
      write(more, more.length);
      return;
    }
    if (size + more.length > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more.length));
    }
    System.arraycopy(more, 0, bytes, size, more.length);
    size += more.length;
  }

  /** Writes what was added; suspends where the client reads slowly. */
  void flush() throws IOException {
    if (size > 0) {
      int length = size;
      size = 0; // also if it fails: nothing is written twice
      write(bytes, length);
      if (bytes.length > SMALL) {
        bytes = new byte[START];
      }
    }
  }

  private void write(byte[] data, int length) throws IOException {
    try {
      Sock.writeBytes(fd, data, length);
    } catch (IOException e) {
      throw Gone.orSame(e);
    }
  }
}
