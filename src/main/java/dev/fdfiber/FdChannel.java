package dev.fdfiber;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.NativeBuffers;
import dev.fdfiber.poller.Registration;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ScatteringByteChannel;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes any descriptor. Where that would block it suspends the calling fiber, and
 * outside a fiber it blocks the calling thread.
 *
 * <p>A read gives what is there, a write writes everything, as channels that block do. A fiber that
 * is cancelled in one gets InterruptedIOException with {@code bytesTransferred}; its interrupt
 * status stays set and the channel open. Several fibers of one scheduler may use a channel at once.
 */
public final class FdChannel implements ByteChannel, GatheringByteChannel, ScatteringByteChannel {
  private static final int END = -1;

  private final Kernel kernel;
  private final int fd;
  private final FdAccess access;
  private final boolean owned;
  private final @Nullable Registration registration; // of an owner
  private final ReadPace pace;
  private final AtomicBoolean closed = new AtomicBoolean();

  private FdChannel(Kernel kernel, int fd, FdAccess access, boolean owned) {
    this.kernel = kernel;
    this.fd = fd;
    this.access = access;
    this.owned = owned;
    this.registration = owned ? new Registration(fd) : null;
    this.pace = new ReadPace(access.shortMeansEmpty());
  }

  /**
   * A channel that takes a descriptor over: sets {@code O_NONBLOCK}, and closes it on close.
   *
   * @throws IllegalArgumentException if it is not open, or is 0, 1 or 2, whose description other
   *     processes share: {@link #borrow} those
   */
  public static FdChannel own(int fd) {
    if (fd >= 0 && fd <= 2) {
      throw new IllegalArgumentException(
          "fd "
              + fd
              + " is shared with the processes around this one, and setting O_NONBLOCK would "
              + "change it for them; use FdChannel.borrow("
              + fd
              + ")");
    }
    Kernel kernel = currentKernel();
    return new FdChannel(kernel, fd, FdAccess.owned(kernel, fd), true);
  }

  /**
   * A channel over a descriptor that stays its owner's: touches no flag of it, and close leaves it
   * open. Sockets are asked not to block call by call; pipes, FIFOs and terminals that block are
   * opened once more for this channel, so that the other end sees them closed when this channel is,
   * too. Where that cannot be done each call is made when poll(2) says that it would not block,
   * which holds only as long as nobody else reads or writes the same description.
   *
   * @throws IllegalArgumentException if it is not open
   */
  public static FdChannel borrow(int fd) {
    Kernel kernel = currentKernel();
    return new FdChannel(kernel, fd, FdAccess.borrowed(kernel, fd), false);
  }

  private static Kernel currentKernel() {
    Task task = Task.current();
    return task == null ? Kernel.system() : task.loop.kernel;
  }

  /** The descriptor. */
  public int fd() {
    return fd;
  }

  /**
   * Reads what is there, at least a byte; suspends until there is some.
   *
   * @return how many bytes, -1 at the end
   * @throws ClosedChannelException if this channel is closed, before or meanwhile
   * @throws InterruptedIOException if the fiber is cancelled
   * @throws ErrnoException for what read(2) ERRORS lists
   */
  @Override
  public int read(ByteBuffer to) throws IOException {
    return read(to, Times.FOREVER);
  }

  /**
   * Like {@link #read(ByteBuffer)}, but waits for at most the given time; a negative one has no
   * end.
   *
   * @return how many bytes, -1 at the end, 0 when the time was up
   */
  public int read(ByteBuffer to, Duration timeout) throws IOException {
    return read(to, Times.timeoutNanos(timeout));
  }

  private int read(ByteBuffer to, long nanos) throws IOException {
    requireWritable(to);
    requireOpen();
    if (!to.hasRemaining()) {
      return 0;
    }
    Deadline deadline = Deadline.of(nanos);
    boolean waited = pace.waitsFirst(registration);
    if (waited && !await("read", Scheduler.READ, deadline, 0)) {
      return 0;
    }
    while (true) {
      int room = to.remaining();
      long n = readOnce(to);
      pace.read(n, room, waited);
      if (n > 0) {
        return (int) n;
      }
      if (n == 0 || (n == -Errno.EIO && access.isTerminal())) {
        return END; // a terminal whose other side is gone
      }
      if (!canRetry("read", n, Scheduler.READ, deadline, 0)) {
        return 0;
      }
      waited = true;
    }
  }

  /**
   * Writes all that the buffer holds; suspends where there is no room.
   *
   * @return how many bytes that was
   * @throws ClosedChannelException if this channel is closed, before or meanwhile
   * @throws InterruptedIOException if the fiber is cancelled; tells how many bytes were written
   * @throws ErrnoException for what write(2) ERRORS lists; the buffer's position tells how far it
   *     got
   */
  @Override
  public int write(ByteBuffer from) throws IOException {
    return write(from, Times.FOREVER);
  }

  /**
   * Like {@link #write(ByteBuffer)}, but for at most the given time; a negative one has no end.
   *
   * @return how many bytes were written, fewer than all when the time was up
   */
  public int write(ByteBuffer from, Duration timeout) throws IOException {
    return write(from, Times.timeoutNanos(timeout));
  }

  private int write(ByteBuffer from, long nanos) throws IOException {
    return (int) write(from, Deadline.of(nanos), 0);
  }

  private long write(ByteBuffer from, Deadline deadline, long before) throws IOException {
    requireOpen();
    long total = before;
    while (from.hasRemaining()) {
      long n = writeOnce(from);
      if (n >= 0) {
        total += n;
      } else if (!canRetry("write", n, Scheduler.WRITE, deadline, total)) {
        break;
      }
    }
    return total - before;
  }

  @Override
  public long read(ByteBuffer[] to, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, to.length);
    for (int i = offset; i < offset + length; i++) {
      requireWritable(to[i]);
    }
    requireOpen();
    long total = 0;
    for (int i = offset; i < offset + length; i++) {
      if (to[i].hasRemaining()) {
        // Only the first may wait or fail: what came in one piece is handed over before all else.
        long n = total == 0 ? read(to[i]) : readOnce(to[i]);
        if (n <= 0) {
          return total == 0 ? n : total;
        }
        total += n;
        if (to[i].hasRemaining()) {
          break;
        }
      }
    }
    return total;
  }

  @Override
  public long read(ByteBuffer[] to) throws IOException {
    return read(to, 0, to.length);
  }

  @Override
  public long write(ByteBuffer[] from, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, from.length);
    requireOpen();
    Deadline none = Deadline.of(Times.FOREVER);
    long total = 0;
    for (int i = offset; i < offset + length; i++) {
      total += write(from[i], none, total);
    }
    return total;
  }

  @Override
  public long write(ByteBuffer[] from) throws IOException {
    return write(from, 0, from.length);
  }

  @Override
  public boolean isOpen() {
    return !closed.get();
  }

  /**
   * Closes this channel: in the caller's scheduler everybody who waits in it gets
   * ClosedChannelException. A descriptor that it owns is closed too. Does not suspend; the second
   * time does nothing.
   *
   * @throws ErrnoException for what close(2) ERRORS lists; the descriptor is closed all the same
   */
  @Override
  public void close() throws IOException {
    if (closed.compareAndSet(false, true)) {
      Scheduler.closing(fd);
      if (registration != null) {
        registration.end();
      }
      access.close(kernel);
      int result = owned ? kernel.close(fd) : 0;
      if (result < 0 && result != -Errno.EINTR) {
        throw new ErrnoException("close", fd, -result);
      }
    }
  }

  @Override
  public String toString() {
    return "channel on fd " + fd + (owned ? "" : ", borrowed") + (isOpen() ? "" : ", closed");
  }

  // ---- one call

  private long readOnce(ByteBuffer to) {
    if (registration != null) {
      registration.clear(Scheduler.READ);
    }
    if (to.isDirect()) {
      long n = access.read(kernel, MemorySegment.ofBuffer(to), to.remaining());
      if (n > 0) {
        to.position(to.position() + (int) n);
      }
      return n;
    }
    MemorySegment buffer = NativeBuffers.take();
    try {
      long n = access.read(kernel, buffer, Math.min(to.remaining(), NativeBuffers.SIZE));
      if (n > 0) {
        to.put(buffer.asSlice(0, n).asByteBuffer());
      }
      return n;
    } finally {
      NativeBuffers.give(buffer);
    }
  }

  private long writeOnce(ByteBuffer from) {
    if (registration != null) {
      registration.clear(Scheduler.WRITE);
    }
    long n;
    if (from.isDirect()) {
      n = access.write(kernel, MemorySegment.ofBuffer(from), from.remaining());
    } else {
      MemorySegment buffer = NativeBuffers.take();
      try {
        int count = Math.min(from.remaining(), NativeBuffers.SIZE);
        buffer.asByteBuffer().put(0, from, from.position(), count);
        n = access.write(kernel, buffer, count);
      } finally {
        NativeBuffers.give(buffer);
      }
    }
    if (n > 0) {
      from.position(from.position() + (int) n);
    }
    return n;
  }

  /** After a call that gave nothing: waits if it would have blocked; false when the time is up. */
  private boolean canRetry(String call, long n, int mode, Deadline deadline, long transferred)
      throws IOException {
    if (n == -Errno.EINTR) {
      return true;
    }
    if (n != -Errno.EAGAIN) {
      throw isOpen() ? new ErrnoException(call, fd, (int) -n) : new ClosedChannelException();
    }
    return await(call, mode, deadline, transferred);
  }

  /** Waits until a call would not block; false when the time is up. */
  private boolean await(String call, int mode, Deadline deadline, long transferred)
      throws IOException {
    try {
      boolean ready = Scheduler.ioWaitNanos(fd, mode, deadline.left(), registration) != 0;
      requireOpen();
      return ready;
    } catch (ErrnoException e) {
      throw isOpen() ? e : new ClosedChannelException();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      InterruptedIOException io = new InterruptedIOException(call + "(fd " + fd + "): cancelled");
      io.bytesTransferred = (int) Math.min(transferred, Integer.MAX_VALUE);
      io.initCause(e);
      throw io;
    }
  }

  private static void requireWritable(ByteBuffer to) {
    if (to.isReadOnly()) {
      throw new IllegalArgumentException("cannot read into a read-only buffer");
    }
  }

  private void requireOpen() throws ClosedChannelException {
    if (closed.get()) {
      throw new ClosedChannelException();
    }
  }

  /** A point in time, taken when the first wait asks for it. */
  private static final class Deadline {
    private static final Deadline NEVER = new Deadline(Times.FOREVER);

    private final long nanos;
    private long at;
    private boolean started;

    /** Without end it has nothing to remember, and is no object more. */
    static Deadline of(long nanos) {
      return nanos < 0 ? NEVER : new Deadline(nanos);
    }

    private Deadline(long nanos) {
      this.nanos = nanos;
    }

    long left() {
      if (nanos <= 0) {
        return nanos;
      }
      Task task = Task.current();
      long now = (task == null ? Clock.system() : task.loop.clock).nanoTime();
      if (!started) {
        started = true;
        at = now + nanos;
      }
      return Math.max(0, at - now);
    }
  }
}
