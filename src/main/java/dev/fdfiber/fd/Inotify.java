package dev.fdfiber.fd;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.InotifyEvents;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.NativeBuffers;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Watches files and directories, inotify(7): what other processes do to them too, and without a
 * thread. For one reader at a time.
 *
 * <p><b>Trees.</b> The kernel watches a directory and not what is below it. So a directory that
 * appears in a watched tree is watched at once and then listed: what had come into it before is
 * told as {@code CREATED}, and what comes in between may be told twice, but nothing is missed: a
 * directory that this process may not read, or not look into, is told as {@link Unwatched}. Only
 * the reader does this, so events must be read for a tree to stay watched. Listing holds the
 * driver.
 */
public final class Inotify implements Closeable {
  /** What has happened to a file, or to an entry of a directory. */
  public enum Kind {
    /** Read from. */
    ACCESSED(InotifyEvents.IN_ACCESS),
    /** Written to, or truncated. */
    MODIFIED(InotifyEvents.IN_MODIFY),
    /** Its permissions, times, owner or links changed. */
    ATTRIBUTES(InotifyEvents.IN_ATTRIB),
    /** Closed by one who could write: the moment to read a new file. */
    CLOSED_WRITTEN(InotifyEvents.IN_CLOSE_WRITE),
    /** Closed by one who could not write. */
    CLOSED_UNWRITTEN(InotifyEvents.IN_CLOSE_NOWRITE),
    /** Opened. */
    OPENED(InotifyEvents.IN_OPEN),
    /** Moved away from this name. */
    MOVED_FROM(InotifyEvents.IN_MOVED_FROM),
    /** Moved to this name. */
    MOVED_TO(InotifyEvents.IN_MOVED_TO),
    /** An entry was made in a directory. */
    CREATED(InotifyEvents.IN_CREATE),
    /** An entry was removed from a directory. */
    DELETED(InotifyEvents.IN_DELETE),
    /** What is watched itself was removed; the watch is over. */
    SELF_DELETED(InotifyEvents.IN_DELETE_SELF),
    /** What is watched itself was moved; the watch goes on, and the path is the old one. */
    SELF_MOVED(InotifyEvents.IN_MOVE_SELF),
    /** Its file system was unmounted; the watch is over. */
    UNMOUNTED(InotifyEvents.IN_UNMOUNT);

    private final int bit;

    Kind(int bit) {
      this.bit = bit;
    }
  }

  /** What was told. */
  public sealed interface Event {}

  /**
   * Something happened.
   *
   * @param path what was watched, with the name of the entry where it is a directory
   * @param cookie the same for both events of one move; else 0
   */
  public record Changed(Path path, Kind kind, boolean isDirectory, int cookie) implements Event {}

  /**
   * The queue was full and events were lost, {@code IN_Q_OVERFLOW}: look at everything again. The
   * directories of trees are watched again already.
   */
  public record Overflow() implements Event {}

  /**
   * A directory of a tree could not be watched, or not what is below it, {@code EACCES}, and the
   * tree is watched without that. Once it may be read, {@link #watchTree} of the same tree watches
   * it too.
   */
  public record Unwatched(Path directory) implements Event {}

  private static final int TREE =
      InotifyEvents.IN_CREATE | InotifyEvents.IN_MOVED_FROM | InotifyEvents.IN_MOVED_TO;

  private record Watch(Path path, int mask, boolean isTree) {}

  private final Fd fd;
  private final Map<Integer, Watch> watches = new HashMap<>();
  private final Map<Path, Integer> roots = new HashMap<>(); // of trees, with their masks
  private final Queue<InotifyEvents.Event> came = new ArrayDeque<>(); // and are to be taken
  private final Queue<Event> pending = new ArrayDeque<>();

  private Inotify(Fd fd) {
    this.fd = fd;
  }

  /**
   * Makes one that watches nothing yet. Does not suspend.
   *
   * @throws ErrnoException {@code EMFILE} if there are too many, inotify_init1(2) ERRORS
   */
  public static Inotify open() throws IOException {
    Kernel kernel = Fd.callersKernel();
    int flags = InotifyEvents.IN_CLOEXEC | InotifyEvents.IN_NONBLOCK;
    return new Inotify(Fd.own(kernel, kernel.inotifyInit1(flags), "inotify_init1"));
  }

  /** The descriptor, which is readable when there are events. */
  public int fd() {
    return fd.number();
  }

  /**
   * Watches a file, or a directory and its entries, from now on.
   *
   * @param kinds of what to be told; none is of everything but reading, opening and closing without
   *     a write
   * @throws ErrnoException {@code ENOENT}, {@code EACCES}, {@code ENOSPC} if {@code
   *     fs.inotify.max_user_watches} is reached, inotify_add_watch(2) ERRORS
   */
  public void watch(Path path, Kind... kinds) throws IOException {
    fd.requireOpen();
    add(path, mask(kinds), false);
  }

  /**
   * Watches a directory and all below it, links not followed, also what appears there later; see
   * the head of this class. Throws as {@link #watch} does, but {@code EACCES} only for the root:
   * what cannot be read below it is told by the next events, as {@link Unwatched}.
   */
  public void watchTree(Path root, Kind... kinds) throws IOException {
    fd.requireOpen();
    int mask = mask(kinds);
    add(root, mask | TREE, true);
    roots.put(root, mask);
    addBelow(root, mask, false);
  }

  /** Ends the watches of a path and, if it is that of a tree, of all below it. */
  public void unwatch(Path path) throws IOException {
    fd.requireOpen();
    boolean isTree = roots.remove(path) != null;
    Set<Integer> over = new LinkedHashSet<>();
    watches.forEach((number, watch) -> {
      if (watch.path.equals(path) || (isTree && watch.isTree && watch.path.startsWith(path))) {
        over.add(number);
      }
    });
    over.forEach(this::remove);
  }

  private static int mask(Kind... kinds) {
    Kind[] chosen = kinds;
    if (kinds.length == 0) {
      Set<Kind> all = new LinkedHashSet<>(Arrays.asList(Kind.values()));
      all.removeAll(Set.of(Kind.ACCESSED, Kind.OPENED, Kind.CLOSED_UNWRITTEN, Kind.UNMOUNTED));
      chosen = all.toArray(new Kind[0]);
    }
    int mask = 0;
    for (Kind kind : chosen) {
      mask |= kind.bit;
    }
    return mask & ~InotifyEvents.IN_UNMOUNT; // told in any case, and refused as a question
  }

  private void add(Path path, int mask, boolean isTree) throws ErrnoException {
    int flags = mask | InotifyEvents.IN_MASK_ADD | (isTree ? InotifyEvents.IN_ONLYDIR : 0);
    try (Arena arena = Arena.ofConfined()) {
      int number =
          fd.kernel().inotifyAddWatch(fd.number(), arena.allocateFrom(path.toString()), flags);
      String hint = number == -Errno.ENOSPC ? ", see fs.inotify.max_user_watches" : "";
      Fd.check(number, "inotify_add_watch " + path + hint);
      watches.merge(
          number,
          new Watch(path, mask, isTree),
          (a, b) -> new Watch(b.path, a.mask | b.mask, a.isTree || b.isTree));
    }
  }

  private void remove(int number) {
    fd.kernel().inotifyRmWatch(fd.number(), number); // EINVAL: it is over already
    watches.remove(number);
  }

  /** Watches the directories below one that is watched, and tells what is in them if it is new. */
  private void addBelow(Path directory, int mask, boolean isNew) throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        boolean isDirectory = Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS);
        if (isNew && (mask & InotifyEvents.IN_CREATE) != 0) {
          pending.add(new Changed(entry, Kind.CREATED, isDirectory, 0));
        }
        if (isDirectory) {
          addTree(entry, mask, isNew);
        }
      }
      if (!Files.isExecutable(directory)) {
        pending.add(new Unwatched(directory)); // what the entries are cannot be seen
      }
    } catch (AccessDeniedException e) {
      pending.add(new Unwatched(directory)); // since it was watched
    } catch (NoSuchFileException | NotDirectoryException e) {
      // it is gone again, which is told by the directory that it was in
    }
  }

  private void addTree(Path directory, int mask, boolean isNew) throws IOException {
    try {
      add(directory, mask | TREE, true);
    } catch (ErrnoException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR) {
        return; // gone again
      }
      if (e.errno() == Errno.EACCES) {
        pending.add(new Unwatched(directory));
        return;
      }
      throw e;
    }
    addBelow(directory, mask, isNew);
  }

  // ---- reading

  /** The next event; suspends until there is one. */
  public Event next() throws IOException {
    return next(Deadline.NEVER).orElseThrow();
  }

  /** Like {@link #next()}, for at most a time; empty when that was up. */
  public Optional<Event> next(Duration timeout) throws IOException {
    Deadline deadline = Deadline.in(timeout);
    fd.requireOpen();
    while (pending.isEmpty()) {
      InotifyEvents.Event event = came.poll();
      if (event != null) {
        take(event); // if a directory cannot be watched, the others still come, with the next call
      } else if (fd.await("read", Scheduler.READ, deadline.left(), () -> read(came)) < 0) {
        return Optional.empty();
      }
    }
    return Optional.of(pending.remove());
  }

  /**
   * All events to come; each suspends until it is there. What {@link #next} throws comes wrapped.
   *
   * @return a stream without an end, which throws UncheckedIOException
   */
  public Stream<Event> events() {
    return Stream.generate(() -> {
      try {
        return next();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
  }

  private long read(Queue<InotifyEvents.Event> to) {
    MemorySegment buffer = NativeBuffers.take();
    try {
      long n = fd.kernel().read(fd.number(), buffer, NativeBuffers.SIZE);
      if (n > 0) {
        InotifyEvents.decode(buffer, n, to::add);
      }
      return n;
    } finally {
      NativeBuffers.give(buffer);
    }
  }

  private void take(InotifyEvents.Event event) throws IOException {
    if ((event.mask() & InotifyEvents.IN_Q_OVERFLOW) != 0) {
      pending.add(new Overflow());
      for (Map.Entry<Path, Integer> root : roots.entrySet()) {
        addTree(root.getKey(), root.getValue(), false);
      }
      return;
    }
    Watch watch = watches.get(event.watch());
    if (watch == null) {
      return; // of a watch that was ended meanwhile
    }
    if ((event.mask() & InotifyEvents.IN_IGNORED) != 0) {
      watches.remove(event.watch());
      return;
    }
    Path path = event.name().isEmpty() ? watch.path : watch.path.resolve(event.name());
    boolean isDirectory = (event.mask() & InotifyEvents.IN_ISDIR) != 0;
    tell(event, watch, path, isDirectory);
    if (watch.isTree && isDirectory && !event.name().isEmpty()) {
      followTree(event.mask(), watch, path);
    }
  }

  private void tell(InotifyEvents.Event event, Watch watch, Path path, boolean isDirectory) {
    int wanted = (watch.isTree ? rootMask(watch) : watch.mask) | InotifyEvents.IN_UNMOUNT;
    for (Kind kind : Kind.values()) {
      if ((event.mask() & kind.bit & wanted) != 0) {
        pending.add(new Changed(path, kind, isDirectory, event.cookie()));
      }
    }
  }

  /** What was asked for, without what the tree itself needs to know. */
  private int rootMask(Watch watch) {
    int mask = 0;
    for (Map.Entry<Path, Integer> root : roots.entrySet()) {
      if (watch.path.startsWith(root.getKey())) {
        mask |= root.getValue();
      }
    }
    return mask;
  }

  private void followTree(int happened, Watch watch, Path directory) throws IOException {
    if ((happened & (InotifyEvents.IN_CREATE | InotifyEvents.IN_MOVED_TO)) != 0) {
      addTree(directory, rootMask(watch), true);
    } else if ((happened & InotifyEvents.IN_MOVED_FROM) != 0) {
      // What it has below it may be watched again under its new name, or be out of the tree.
      for (Iterator<Map.Entry<Integer, Watch>> all = watches.entrySet().iterator();
          all.hasNext(); ) {
        Map.Entry<Integer, Watch> each = all.next();
        if (each.getValue().path.startsWith(directory)) {
          fd.kernel().inotifyRmWatch(fd.number(), each.getKey());
          all.remove();
        }
      }
    }
  }

  /** Closes it and ends its watches. Whoever waits for it gets ClosedChannelException. */
  @Override
  public void close() throws IOException {
    fd.close();
  }

  @Override
  public String toString() {
    return "inotify " + fd + ", " + watches.size() + " watches";
  }
}
