package dev.fdfiber.fd;

import dev.fdfiber.FdChannel;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Standard input, output and error, borrowed: their flags, which they share with the processes
 * around this one, stay as they are, and nobody's System.out breaks. {@code System.in} would hold
 * the driver of every fiber; these park.
 *
 * <p>On a terminal the end of file, Ctrl-D, is not the last word: a read after it waits for more.
 */
public final class Stdio implements Closeable {
  private final FdChannel in = FdChannel.borrow(0);
  private final FdChannel out = FdChannel.borrow(1);
  private final FdChannel err = FdChannel.borrow(2);
  private final ByteBuffer read = ByteBuffer.allocate(8192).limit(0);
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();

  private Stdio() {}

  /**
   * Borrows the three.
   *
   * @throws IllegalArgumentException if one of them is not open
   */
  public static Stdio open() {
    return new Stdio();
  }

  /** Standard input. What {@link #readLine} has read ahead is not there any more. */
  public FdChannel in() {
    return in;
  }

  /** Standard output. What is still in the buffer of {@code System.out} comes later. */
  public FdChannel out() {
    return out;
  }

  /** Standard error. */
  public FdChannel err() {
    return err;
  }

  /**
   * Reads a line of UTF-8, without its line end; suspends until there is one. For one reader at a
   * time. A line that has begun when the read is cancelled is there for the next.
   *
   * @return empty at the end of the input, which on a terminal may be followed by more
   */
  public Optional<String> readLine() throws IOException {
    while (true) {
      while (read.hasRemaining()) {
        byte b = read.get();
        if (b == '\n') {
          return Optional.of(line());
        }
        line.write(b);
      }
      int n = readMore();
      if (n < 0) {
        return line.size() == 0 ? Optional.empty() : Optional.of(line());
      }
    }
  }

  /** Leaves the buffer empty unless it has got something, also when the read is cancelled. */
  private int readMore() throws IOException {
    try {
      return in.read(read.clear());
    } finally {
      read.flip();
    }
  }

  private String line() {
    String text = line.toString(StandardCharsets.UTF_8);
    line.reset();
    return text;
  }

  /** Writes a text to standard output, all of it; suspends where there is no room. */
  public void print(String text) throws IOException {
    out.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** Gives the three back; they stay open. */
  @Override
  public void close() throws IOException {
    try (err;
        out) {
      in.close();
    }
  }

  @Override
  public String toString() {
    return "standard input and output";
  }
}
