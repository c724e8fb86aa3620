package dev.fdfiber.fd;

import dev.fdfiber.FdChannel;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.SpawnRequest;
import dev.fdfiber.kernel.Terminals;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;

/**
 * A pseudoterminal, pty(7): this side is what a terminal window is, the other what a program takes
 * for its terminal. What is written to the {@link #channel} is typed there, Ctrl-C included; what
 * the program prints is read here.
 *
 * <p>When every program has closed its side a read gets the end of file, which the kernel tells as
 * {@code EIO}. Until one has opened it a read waits.
 */
public final class Pty implements Closeable {
  private final Fd fd;
  private final Path slave;

  private Pty(Fd fd, Path slave) {
    this.fd = fd;
    this.slave = slave;
  }

  /**
   * Makes a pseudoterminal. Does not suspend.
   *
   * @throws dev.fdfiber.ErrnoException {@code ENOSPC} if there are too many, pty(7); {@code EMFILE}
   */
  public static Pty open() throws IOException {
    Kernel kernel = Fd.callersKernel();
    int flags = Linux.O_RDWR | Linux.O_NOCTTY | Linux.O_CLOEXEC | Linux.O_NONBLOCK;
    Fd fd;
    try (Arena arena = Arena.ofConfined()) {
      int result = kernel.open(arena.allocateFrom("/dev/ptmx"), flags, 0);
      fd = Fd.own(kernel, result, "open /dev/ptmx");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocateFrom(ValueLayout.JAVA_INT, 0);
      Terminal.control(kernel, fd.number(), "TIOCSPTLCK", Terminals.TIOCSPTLCK, number);
      Terminal.control(kernel, fd.number(), "TIOCGPTN", Terminals.TIOCGPTN, number);
      return new Pty(fd, Path.of("/dev/pts/" + number.get(ValueLayout.JAVA_INT, 0)));
    } catch (IOException e) {
      fd.close();
      throw e;
    }
  }

  /** The descriptor of this side. */
  public int fd() {
    return fd.number();
  }

  /** What is typed, and what is shown. */
  public FdChannel channel() {
    return fd.channel();
  }

  /** The other side, as a file to open. */
  public Path slave() {
    return slave;
  }

  /**
   * Starts a program whose terminal this is: as the leader of a session of its own, which the
   * terminal controls, with input, output and error there unless the command says otherwise. Holds
   * the thread as {@link PidFd#spawn} does.
   *
   * @throws dev.fdfiber.ErrnoException for what {@link PidFd#spawn} throws
   */
  public PidFd spawn(Command command) throws IOException {
    fd.requireOpen();
    Kernel kernel = fd.kernel();
    List<SpawnRequest.Action> terminal =
        List.of(
            new SpawnRequest.Open(0, slave.toString(), Linux.O_RDWR),
            new SpawnRequest.Duplicate(0, 1),
            new SpawnRequest.Duplicate(0, 2));
    return PidFd.ofChild(kernel, () -> command.startSession(kernel, terminal));
  }

  /** How the terminal treats what goes through it. */
  public TerminalSettings settings() throws IOException {
    fd.requireOpen();
    return Terminal.settings(fd.kernel(), fd.number());
  }

  /** Sets how the terminal treats what goes through it, at once. */
  public void settings(TerminalSettings settings) throws IOException {
    fd.requireOpen();
    Terminal.settings(fd.kernel(), fd.number(), settings);
  }

  /** Its size. */
  public WindowSize windowSize() throws IOException {
    fd.requireOpen();
    return Terminal.windowSize(fd.kernel(), fd.number());
  }

  /** Sets its size; the programs in the foreground get SIGWINCH if it is another. */
  public void windowSize(WindowSize size) throws IOException {
    fd.requireOpen();
    Terminal.windowSize(fd.kernel(), fd.number(), size);
  }

  /**
   * Closes this side: the session on the other gets SIGHUP, as when a window is closed. Whoever
   * waits for it here gets ClosedChannelException.
   */
  @Override
  public void close() throws IOException {
    fd.close();
  }

  @Override
  public String toString() {
    return "pty " + slave + ", " + fd;
  }
}
