package dev.fdfiber.testing;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A named pipe, fifo(7), in a temporary directory, as a parameter of an {@link FdTest}: the name
 * and what was opened here are gone after the test.
 */
public final class TempFifo implements AutoCloseable {
  private final Path directory;
  private final Path path;
  private final List<HeldFd> opened = new ArrayList<>();

  private TempFifo(Path directory) {
    this.directory = directory;
    this.path = directory.resolve("fifo");
  }

  /** Makes one; whoever does closes it. */
  public static TempFifo make() {
    try (Arena arena = Arena.ofConfined()) {
      TempFifo fifo = new TempFifo(Files.createTempDirectory("fdtest"));
      String path = fifo.path.toString();
      Calls.check(Kernel.system().mkfifo(arena.allocateFrom(path), 0600), "mkfifo " + path);
      return fifo;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where it is. */
  public Path path() {
    return path;
  }

  /** Opens it for reading, non-blocking, whether or not there is a writer. */
  public int openForReading() {
    return open(Linux.O_RDONLY);
  }

  /**
   * Opens it for writing, non-blocking.
   *
   * @throws AssertionError {@code ENXIO} while nobody has it open for reading, fifo(7)
   */
  public int openForWriting() {
    return open(Linux.O_WRONLY);
  }

  private int open(int access) {
    try (Arena arena = Arena.ofConfined()) {
      int flags = access | Linux.O_NONBLOCK | Linux.O_CLOEXEC;
      int fd = Kernel.system().open(arena.allocateFrom(path.toString()), flags, 0);
      opened.add(HeldFd.of(Calls.check(fd, "open " + path)));
      return fd;
    }
  }

  /** Closes what was opened here and is still open, and removes the name. */
  @Override
  public void close() {
    opened.forEach(HeldFd::close);
    try {
      Files.deleteIfExists(path);
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return "fifo " + path;
  }
}
