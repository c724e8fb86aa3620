package dev.fdfiber.kernel;

import dev.fdfiber.libc.LibC;
import dev.fdfiber.libc.inotify_event;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** What is read from an inotify descriptor, inotify(7). */
public final class InotifyEvents {
  public static final int IN_CLOEXEC = LibC.IN_CLOEXEC();
  public static final int IN_NONBLOCK = LibC.IN_NONBLOCK();
  public static final int IN_ACCESS = LibC.IN_ACCESS();
  public static final int IN_MODIFY = LibC.IN_MODIFY();
  public static final int IN_ATTRIB = LibC.IN_ATTRIB();
  public static final int IN_CLOSE_WRITE = LibC.IN_CLOSE_WRITE();
  public static final int IN_CLOSE_NOWRITE = LibC.IN_CLOSE_NOWRITE();
  public static final int IN_OPEN = LibC.IN_OPEN();
  public static final int IN_MOVED_FROM = LibC.IN_MOVED_FROM();
  public static final int IN_MOVED_TO = LibC.IN_MOVED_TO();
  public static final int IN_CREATE = LibC.IN_CREATE();
  public static final int IN_DELETE = LibC.IN_DELETE();
  public static final int IN_DELETE_SELF = LibC.IN_DELETE_SELF();
  public static final int IN_MOVE_SELF = LibC.IN_MOVE_SELF();
  public static final int IN_UNMOUNT = LibC.IN_UNMOUNT();
  public static final int IN_Q_OVERFLOW = LibC.IN_Q_OVERFLOW();
  public static final int IN_IGNORED = LibC.IN_IGNORED();
  public static final int IN_ONLYDIR = LibC.IN_ONLYDIR();
  public static final int IN_MASK_ADD = LibC.IN_MASK_ADD();
  public static final int IN_ISDIR = LibC.IN_ISDIR();

  private static final long HEADER = inotify_event.sizeof();

  private InotifyEvents() {}

  /** One event; the name is empty where it is about what is watched itself. */
  public record Event(int watch, int mask, int cookie, String name) {}

  /** Takes apart what a read has given. */
  public static void decode(MemorySegment bytes, long count, Consumer<Event> to) {
    for (long offset = 0; offset + HEADER <= count; ) {
      MemorySegment event = bytes.asSlice(offset);
      int length = inotify_event.len(event);
      to.accept(
          new Event(
              inotify_event.wd(event),
              inotify_event.mask(event),
              inotify_event.cookie(event),
              name(event.asSlice(HEADER, length))));
      offset += HEADER + length;
    }
  }

  /** Up to the first of the NULs that fill it up. */
  private static String name(MemorySegment padded) {
    byte[] bytes = padded.toArray(ValueLayout.JAVA_BYTE);
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8);
  }
}
