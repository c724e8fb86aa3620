package dev.fdfiber.fd;

import dev.fdfiber.kernel.Terminals;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/**
 * How a terminal treats what goes through it, termios(3). Never changes: each method returns other
 * settings, for {@link Tty#settings(TerminalSettings)} or {@link Pty#settings(TerminalSettings)}.
 */
public final class TerminalSettings {
  private static final int MOST = 255; // both VMIN and VTIME are a byte
  private static final long TENTH_NANOS = 100_000_000;
  private static final Duration LONGEST = Duration.ofNanos(MOST * TENTH_NANOS);

  private final byte[] termios; // a struct termios2

  TerminalSettings(byte[] termios) {
    this.termios = termios;
  }

  byte[] termios() {
    return termios.clone();
  }

  /**
   * Bytes as they are, cfmakeraw(3): no echo, no lines, no signals by Ctrl-C, eight bits, and a
   * read gets what is there.
   */
  public TerminalSettings raw() {
    return without(
            Terminals.IFLAG,
            Terminals.IGNBRK
                | Terminals.BRKINT
                | Terminals.PARMRK
                | Terminals.ISTRIP
                | Terminals.INLCR
                | Terminals.IGNCR
                | Terminals.ICRNL
                | Terminals.IXON)
        .without(Terminals.OFLAG, Terminals.OPOST)
        .without(
            Terminals.LFLAG,
            Terminals.ECHO
                | Terminals.ECHONL
                | Terminals.ICANON
                | Terminals.ISIG
                | Terminals.IEXTEN)
        .without(Terminals.CFLAG, Terminals.CSIZE | Terminals.PARENB)
        .with(Terminals.CFLAG, Terminals.CS8)
        .timing(1, Duration.ZERO);
  }

  /** If what is typed is shown, {@code ECHO}. */
  public TerminalSettings echo(boolean on) {
    return on
        ? with(Terminals.LFLAG, Terminals.ECHO)
        : without(Terminals.LFLAG, Terminals.ECHO | Terminals.ECHONL);
  }

  /**
   * Both rates, in bits per second; any number, {@code BOTHER}. What a driver cannot do it rounds:
   * {@link #rate()} of the settings in force tells.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public TerminalSettings rate(int bitsPerSecond) {
    if (bitsPerSecond <= 0) {
      throw new IllegalArgumentException("a rate of " + bitsPerSecond + " bits per second");
    }
    int rates = Terminals.CBAUD | (Terminals.CBAUD << Terminals.IBSHIFT);
    TerminalSettings other =
        without(Terminals.CFLAG, rates)
            .with(Terminals.CFLAG, Terminals.BOTHER | (Terminals.BOTHER << Terminals.IBSHIFT));
    ByteBuffer fields = other.fields();
    fields.putInt(Terminals.ISPEED, bitsPerSecond).putInt(Terminals.OSPEED, bitsPerSecond);
    return other;
  }

  /**
   * When a read that is not by lines is over, {@code VMIN} and {@code VTIME}: with so many bytes,
   * or after a pause between two of them; without bytes to wait for, after that time in any case.
   *
   * @param bytes 0 to 255
   * @param pause up to 25.5 s, rounded up to tenths of a second; zero is none
   * @throws IllegalArgumentException if one of them is out of these bounds
   */
  public TerminalSettings timing(int bytes, Duration pause) {
    if (bytes < 0 || bytes > MOST || pause.isNegative() || pause.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "VMIN " + bytes + ", VTIME " + pause + "; 0 to 255 bytes, and up to 25.5 s");
    }
    long tenths = (pause.toNanos() + TENTH_NANOS - 1) / TENTH_NANOS;
    byte[] other = termios.clone();
    other[Terminals.CC + Terminals.VMIN] = (byte) bytes;
    other[Terminals.CC + Terminals.VTIME] = (byte) tenths;
    return new TerminalSettings(other);
  }

  /** If a read gets a line at a time, {@code ICANON}. */
  public boolean isByLines() {
    return has(Terminals.LFLAG, Terminals.ICANON);
  }

  /** If what is typed is shown, {@code ECHO}. */
  public boolean isEchoing() {
    return has(Terminals.LFLAG, Terminals.ECHO);
  }

  /** The output rate, in bits per second. */
  public int rate() {
    return fields().getInt(Terminals.OSPEED);
  }

  /** {@code VMIN}. */
  public int bytes() {
    return Byte.toUnsignedInt(termios[Terminals.CC + Terminals.VMIN]);
  }

  /** {@code VTIME}. */
  public Duration pause() {
    int tenths = Byte.toUnsignedInt(termios[Terminals.CC + Terminals.VTIME]);
    return Duration.ofNanos(tenths * TENTH_NANOS);
  }

  private boolean has(int field, int flag) {
    return (fields().getInt(field) & flag) != 0;
  }

  private TerminalSettings with(int field, int flags) {
    TerminalSettings other = new TerminalSettings(termios.clone());
    other.fields().putInt(field, fields().getInt(field) | flags);
    return other;
  }

  private TerminalSettings without(int field, int flags) {
    TerminalSettings other = new TerminalSettings(termios.clone());
    other.fields().putInt(field, fields().getInt(field) & ~flags);
    return other;
  }

  private ByteBuffer fields() {
    return ByteBuffer.wrap(termios).order(ByteOrder.nativeOrder());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TerminalSettings s && Arrays.equals(termios, s.termios);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(termios);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s, %s, %d bits/s",
        isByLines() ? "by lines" : "raw",
        isEchoing() ? "echo" : "no echo",
        rate());
  }
}
