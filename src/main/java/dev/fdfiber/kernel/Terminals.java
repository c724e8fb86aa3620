package dev.fdfiber.kernel;

/**
 * The numbers of terminals: the requests of ioctl_tty(2) and the flags of termios(3), and where the
 * fields are in a {@code struct termios2}, which knows every rate. They are the same on x86-64 and
 * aarch64.
 */
public final class Terminals {
  public static final long TCGETS2 = 0x802C_542AL;
  public static final long TCSETS2 = 0x402C_542BL;
  public static final long TCSETSW2 = 0x402C_542CL;
  public static final long TCSETSF2 = 0x402C_542DL;
  public static final long TIOCGWINSZ = 0x5413;
  public static final long TIOCSWINSZ = 0x5414;
  public static final long TIOCGPTN = 0x8004_5430L;
  public static final long TIOCSPTLCK = 0x4004_5431L;

  public static final int TERMIOS2_SIZE = 44;
  public static final int IFLAG = 0;
  public static final int OFLAG = 4;
  public static final int CFLAG = 8;
  public static final int LFLAG = 12;
  public static final int CC = 17;
  public static final int ISPEED = 36;
  public static final int OSPEED = 40;

  public static final int IGNBRK = 0x1;
  public static final int BRKINT = 0x2;
  public static final int PARMRK = 0x8;
  public static final int ISTRIP = 0x20;
  public static final int INLCR = 0x40;
  public static final int IGNCR = 0x80;
  public static final int ICRNL = 0x100;
  public static final int IXON = 0x400;
  public static final int OPOST = 0x1;
  public static final int CSIZE = 0x30;
  public static final int CS8 = 0x30;
  public static final int PARENB = 0x100;
  public static final int CBAUD = 0x100F;
  public static final int BOTHER = 0x1000;

  /** How far the flags of the input rate are from those of the output rate. */
  public static final int IBSHIFT = 16;

  public static final int ISIG = 0x1;
  public static final int ICANON = 0x2;
  public static final int ECHO = 0x8;
  public static final int ECHONL = 0x40;
  public static final int IEXTEN = 0x8000;
  public static final int VTIME = 5;
  public static final int VMIN = 6;

  private Terminals() {}
}
