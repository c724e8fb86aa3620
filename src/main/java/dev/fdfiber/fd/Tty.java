package dev.fdfiber.fd;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.FdChannel;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A terminal or a serial line, termios(3). The settings that it had when it was opened are in force
 * again once this is closed, and when the JVM ends: a shell that gets its terminal back can echo.
 */
public final class Tty implements Closeable {
  /** Those whose settings are to come back when the JVM ends. */
  private static final Set<Tty> OPEN = ConcurrentHashMap.newKeySet();

  private final Kernel kernel;
  private final FdChannel channel;
  private final TerminalSettings before;
  private volatile TerminalSettings settings;

  private Tty(Kernel kernel, FdChannel channel) throws IOException {
    this.kernel = kernel;
    this.channel = channel;
    this.before = Terminal.settings(kernel, channel.fd());
    this.settings = before;
    OPEN.add(this);
    AtExit.install();
  }

  /**
   * Opens a terminal or a serial line, such as {@code /dev/ttyUSB0}, to read and to write; it does
   * not become the terminal that controls this process. Does not suspend.
   *
   * @throws dev.fdfiber.ErrnoException {@code ENOTTY} if it is no terminal, open(2) ERRORS
   */
  public static Tty open(Path path) throws IOException {
    Kernel kernel = Fd.callersKernel();
    int flags = Linux.O_RDWR | Linux.O_NOCTTY | Linux.O_CLOEXEC | Linux.O_NONBLOCK;
    Fd fd;
    try (Arena arena = Arena.ofConfined()) {
      int result = kernel.open(arena.allocateFrom(path.toString()), flags, 0);
      fd = Fd.own(kernel, result, "open " + path);
    }
    return over(kernel, fd.channel());
  }

  /**
   * A terminal that stays its owner's, such as standard input, 0: no flag of it is touched, and
   * close leaves it open.
   *
   * @throws dev.fdfiber.ErrnoException {@code ENOTTY} if it is no terminal
   * @throws IllegalArgumentException if it is not open
   */
  public static Tty borrow(int fd) throws IOException {
    return over(Fd.callersKernel(), FdChannel.borrow(fd));
  }

  private static Tty over(Kernel kernel, FdChannel channel) throws IOException {
    try {
      return new Tty(kernel, channel);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /** The descriptor. */
  public int fd() {
    return channel.fd();
  }

  /** Its bytes. A read gets what is there, whatever {@link TerminalSettings#timing} says. */
  public FdChannel channel() {
    return channel;
  }

  /** The settings in force, which the driver may have rounded. */
  public TerminalSettings settings() throws IOException {
    requireOpen();
    TerminalSettings timing = settings;
    return Terminal.settings(kernel, channel.fd()).timing(timing.bytes(), timing.pause());
  }

  /**
   * Sets the settings, at once, until the next time or {@link #close}. {@code VMIN} and {@code
   * VTIME} stay here, for {@link #read}: to a descriptor that does not block the kernel would tell
   * no bytes as the end of file, and the programs beside this one get what is there.
   */
  public void settings(TerminalSettings other) throws IOException {
    requireOpen();
    Terminal.settings(kernel, channel.fd(), other.timing(1, Duration.ZERO));
    settings = other;
  }

  /** Sets {@link TerminalSettings#raw}. */
  public void raw() throws IOException {
    settings(settings().raw());
  }

  /**
   * Reads like a read(2) that blocks, as termios(3) tells of {@code VMIN} and {@code VTIME}; by
   * lines, a line. Suspends meanwhile.
   *
   * @return how many bytes, -1 at the end, 0 when {@code VTIME} was up without any
   */
  public int read(ByteBuffer to) throws IOException {
    TerminalSettings now = settings;
    if (now.isByLines()) {
      return channel.read(to);
    }
    boolean timed = !now.pause().isZero();
    int start = to.position();
    Duration first = now.bytes() > 0 ? Deadline.NEVER : now.pause();
    int n = channel.read(to, first);
    while (n > 0 && to.hasRemaining() && to.position() - start < now.bytes()) {
      n = channel.read(to, timed ? now.pause() : Deadline.NEVER);
    }
    int total = to.position() - start;
    return total == 0 ? n : total;
  }

  /** Its size. */
  public WindowSize windowSize() throws IOException {
    requireOpen();
    return Terminal.windowSize(kernel, channel.fd());
  }

  /**
   * Puts the settings back and closes it; one that was hung up or unplugged, {@code EIO}, has none
   * any more. Whoever waits for it gets ClosedChannelException.
   */
  @Override
  public void close() throws IOException {
    if (OPEN.remove(this)) {
      try (channel) {
        putBack();
      } catch (ErrnoException e) {
        if (e.errno() != Errno.EIO) {
          throw e;
        }
      }
    }
  }

  private void putBack() throws IOException {
    if (!settings.equals(before)) {
      Terminal.settings(kernel, channel.fd(), before);
    }
  }

  private void requireOpen() throws ClosedChannelException {
    if (!channel.isOpen()) {
      throw new ClosedChannelException();
    }
  }

  @Override
  public String toString() {
    return "tty on " + channel;
  }

  /** Registers once what runs when the JVM ends. */
  private static final class AtExit {
    static {
      Thread putsBack = new Thread(AtExit::putAllBack, "fdfiber-tty");
      Runtime.getRuntime().addShutdownHook(putsBack);
    }

    static void install() {}

    private static void putAllBack() {
      for (Tty tty : OPEN) {
        try {
          tty.putBack();
        } catch (IOException e) {
          // It is gone, and with it its settings.
        }
      }
    }
  }
}
