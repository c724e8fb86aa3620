package dev.fdfiber.fd;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Terminals;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The requests of ioctl_tty(2) on a descriptor. */
final class Terminal {
  private static final int WINSIZE = 4 * Short.BYTES;

  private Terminal() {}

  static TerminalSettings settings(Kernel kernel, int fd) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment termios = arena.allocate(Terminals.TERMIOS2_SIZE, 4);
      control(kernel, fd, "TCGETS2", Terminals.TCGETS2, termios);
      return new TerminalSettings(termios.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /** In force at once; what was written before may go out by the new ones. */
  static void settings(Kernel kernel, int fd, TerminalSettings settings) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment termios = arena.allocate(Terminals.TERMIOS2_SIZE, 4);
      termios.copyFrom(MemorySegment.ofArray(settings.termios()));
      control(kernel, fd, "TCSETS2", Terminals.TCSETS2, termios);
    }
  }

  static WindowSize windowSize(Kernel kernel, int fd) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(WINSIZE, 2);
      control(kernel, fd, "TIOCGWINSZ", Terminals.TIOCGWINSZ, size);
      return new WindowSize(unsigned(size, 0), unsigned(size, 1));
    }
  }

  static void windowSize(Kernel kernel, int fd, WindowSize size) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment winsize = arena.allocate(WINSIZE, 2);
      winsize.setAtIndex(ValueLayout.JAVA_SHORT, 0, (short) size.rows());
      winsize.setAtIndex(ValueLayout.JAVA_SHORT, 1, (short) size.columns());
      control(kernel, fd, "TIOCSWINSZ", Terminals.TIOCSWINSZ, winsize);
    }
  }

  static void control(Kernel kernel, int fd, String name, long request, MemorySegment argument)
      throws ErrnoException {
    Fd.check(kernel.ioctl(fd, request, argument), "ioctl " + name + "(fd " + fd + ")");
  }

  private static int unsigned(MemorySegment shorts, int index) {
    return Short.toUnsignedInt(shorts.getAtIndex(ValueLayout.JAVA_SHORT, index));
  }
}
