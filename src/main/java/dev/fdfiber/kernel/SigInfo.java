package dev.fdfiber.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** How a child ended: a {@code siginfo_t} as waitid(2) fills it in. */
public final class SigInfo {
  /** The type of id that is the number of a process. */
  public static final int P_PID = 1;

  /** The type of id that is a descriptor of a process. */
  public static final int P_PIDFD = 3;

  public static final int WNOHANG = 1;
  public static final int WEXITED = 4;

  /** Leaves the child in a state in which it can be waited for again. */
  public static final int WNOWAIT = 0x0100_0000;

  public static final int CLD_EXITED = 1;
  public static final int CLD_KILLED = 2;
  public static final int CLD_DUMPED = 3;

  private static final long SIZE = 128;
  private static final long CODE = 8;
  private static final long PID = 16;
  private static final long STATUS = 24;

  private SigInfo() {}

  /** An empty one. */
  public static MemorySegment allocate(Arena arena) {
    return arena.allocate(SIZE, 8);
  }

  /** The child, or 0 when {@code WNOHANG} found none that has ended. */
  public static int pid(MemorySegment info) {
    return info.get(ValueLayout.JAVA_INT, PID);
  }

  /** How it ended: {@code CLD_EXITED}, {@code CLD_KILLED} or {@code CLD_DUMPED}. */
  public static int code(MemorySegment info) {
    return info.get(ValueLayout.JAVA_INT, CODE);
  }

  /** Its exit status, or the signal. */
  public static int status(MemorySegment info) {
    return info.get(ValueLayout.JAVA_INT, STATUS);
  }
}
