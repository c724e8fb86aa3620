package dev.fdfiber.fd;

/** How many characters a terminal shows, {@code struct winsize}, ioctl_tty(2); 0 is unknown. */
public record WindowSize(int rows, int columns) {
  private static final int MOST = 0xFFFF;

  /**
   * Checks both.
   *
   * @throws IllegalArgumentException if one is negative or over 65535
   */
  public WindowSize {
    if (rows < 0 || columns < 0 || rows > MOST || columns > MOST) {
      throw new IllegalArgumentException(rows + " rows of " + columns + " columns");
    }
  }
}
