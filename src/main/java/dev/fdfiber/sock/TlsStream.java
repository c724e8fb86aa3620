package dev.fdfiber.sock;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;

/**
 * TLS on a descriptor: what {@link Io} does to a plain one. Any thread.
 *
 * <p>Two locks, since one may read while another writes. Who has the read lock receives and
 * decrypts; who has the write lock encrypts and sends, the bytes of a call one after the other. Who
 * needs both, as the handshake does, takes the read lock first. What a reader owes the other side,
 * an answer or an alert, goes out at once if nobody writes; else the writer's next record takes it
 * along.
 */
final class TlsStream {
  private final SSLEngine engine;
  private final int fd;
  private final TlsInbound in;
  private final TlsOutbound out;
  private final ReentrantLock reading = new ReentrantLock(true);
  private final ReentrantLock writing = new ReentrantLock(true);

  /** The handshake is done. */
  private volatile boolean isOpen;

  /** The descriptor is closed. */
  private volatile boolean isClosed;

  /** On an engine that has begun its handshake. */
  TlsStream(SSLEngine engine, int fd) {
    this.engine = engine;
    this.fd = fd;
    this.out = new TlsOutbound(engine, fd);
    this.in = new TlsInbound(engine, fd, this::answer);
  }

  // ---- the handshake

  /** Does what can be done without waiting: OK when it is done, WANT_READ, WANT_WRITE. */
  IoStatus step(Kernel kernel) throws IOException {
    return step(kernel, Deadline.NONE);
  }

  private IoStatus step(Kernel kernel, Deadline deadline) throws IOException {
    lock(kernel, reading, "TLS handshake", deadline, 0);
    try {
      lock(kernel, writing, "TLS handshake", deadline, 0);
      try {
        return isOpen ? IoStatus.OK : advance(kernel);
      } finally {
        writing.unlock();
      }
    } finally {
      reading.unlock();
    }
  }

  private IoStatus advance(Kernel kernel) throws IOException {
    in.requireWhole(kernel, "TLS handshake");
    try {
      IoStatus status;
      do {
        int sent = out.flush(kernel);
        status = sent == 0 ? advanceOnce(kernel) : orThrow(kernel, sent, IoStatus.WANT_WRITE);
      } while (status == IoStatus.OK && !isOpen);
      return status;
    } catch (SSLException e) {
      out.answer(kernel); // an alert
      in.fail(TlsFailure.reason(e, in.beginning()), e);
      FdStates.ended(kernel, fd, IoStatus.ERROR);
      throw new SSLHandshakeException("TLS handshake on fd " + fd + ": " + in.failure(), e);
    }
  }

  /** OK if there may be more to do at once. */
  private IoStatus advanceOnce(Kernel kernel) throws IOException {
    switch (engine.getHandshakeStatus()) {
      case NEED_TASK -> in.runTasks();
      case NEED_WRAP -> out.wrap(kernel);
      case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
        Status status = in.unwrap();
        long n = status == Status.BUFFER_UNDERFLOW ? in.receive(kernel) : 1;
        if (n == 0 || status == Status.CLOSED) {
          throw new SSLException(TlsFailure.GONE);
        }
        return n > 0 ? IoStatus.OK : orThrow(kernel, n, IoStatus.WANT_READ);
      }
      case NOT_HANDSHAKING, FINISHED -> {
        isOpen = true;
        in.decrypt(kernel); // what came with the last message
      }
    }
    return IoStatus.OK;
  }

  private IoStatus orThrow(Kernel kernel, long result, IoStatus wants) throws IOException {
    if (result == -Errno.EAGAIN) {
      return wants;
    }
    throw Io.failed(kernel, "TLS handshake", fd, (int) -result);
  }

  /** The whole handshake. */
  void handshake(Kernel kernel, Deadline deadline) throws IOException {
    while (!isOpen) {
      IoStatus wants = step(kernel, deadline);
      int mode = wants == IoStatus.WANT_READ ? Scheduler.READ : Scheduler.WRITE;
      boolean goesOn =
          wants == IoStatus.OK || Io.await(kernel, "TLS handshake", fd, mode, deadline.left(), 0);
      if (!goesOn) {
        FdStates.ended(kernel, fd, wants);
        throw new SocketTimeoutException(
            "TLS handshake on fd " + fd + ": not done within " + deadline.limit());
      }
    }
  }

  // ---- reading

  /** As {@link Io#read}. */
  byte[] read(Kernel kernel, int max, Duration limit, int before) throws IOException {
    Deadline deadline = new Deadline(limit);
    handshake(kernel, deadline);
    lock(kernel, reading, "read", deadline, before);
    try {
      if (!awaitNews(kernel, deadline, before)) {
        throw Io.timedOut(kernel, fd, limit, before);
      }
      byte[] bytes = in.take(max);
      if (bytes.length > 0) {
        FdStates.succeeded(fd);
      } else {
        in.requireWhole(kernel, "read");
        FdStates.ended(kernel, fd, IoStatus.EOF);
      }
      return bytes;
    } finally {
      reading.unlock();
    }
  }

  /** Waits until a read would not: for bytes, the end or an error; false when the time was up. */
  boolean awaitReadable(Kernel kernel, Duration limit) throws IOException {
    Deadline deadline = new Deadline(limit);
    handshake(kernel, deadline);
    lock(kernel, reading, "read", deadline, 0);
    try {
      return awaitNews(kernel, deadline, 0);
    } finally {
      reading.unlock();
    }
  }

  /** Waits also after each record without data: those may come for ever, and others want to run. */
  private boolean awaitNews(Kernel kernel, Deadline deadline, int before) throws IOException {
    while (!in.look(kernel)) {
      if (!Io.await(kernel, "read", fd, Scheduler.READ, deadline.left(), before)) {
        return false;
      }
      requireOpen();
    }
    return true;
  }

  /** If a read would not wait, because of what came before; asks the system nothing. */
  boolean hasNews() {
    if (!isOpen || !reading.tryLock()) {
      return false; // nobody's yet, or who reads gets it
    }
    try {
      return in.hasNews();
    } finally {
      reading.unlock();
    }
  }

  /**
   * If a read would not wait, where something came: that may be a part of a record, or one without
   * data. Of a handshake that something came is all that can be said.
   */
  boolean isReadable(Kernel kernel) throws IOException {
    if (!isOpen || !reading.tryLock()) {
      return true;
    }
    try {
      return in.look(kernel);
    } finally {
      reading.unlock();
    }
  }

  /** Sends what the engine owes, if nobody writes; he would do it himself. */
  private void answer(Kernel kernel) throws SSLException {
    if (writing.tryLock()) {
      try {
        out.answer(kernel);
      } finally {
        writing.unlock();
      }
    }
  }

  // ---- writing

  /** As {@link Io#write}; what is encrypted counts as transferred. */
  void write(Kernel kernel, int total, byte[]... parts) throws IOException {

    handshake(kernel, Deadline.NONE);
    ByteBuffer[] sources = sources(total, parts);
    lock(kernel, writing, "write", Deadline.NONE, 0);
    try {
      int left = total;
      flush(kernel, 0);
      while (left > 0) {
        out.wrap(kernel, sources);
        left = TlsOutbound.remaining(sources);
        flush(kernel, total - left);
      }
      out.answer(kernel);
    } catch (SSLException e) {
      in.requireWhole(kernel, "write"); // the cause, where reading met it
      ErrnoException ended = Io.failed(kernel, "write", fd, Errno.EPIPE);
      ended.initCause(e);
      throw ended;
    } finally {
      writing.unlock();
    }
    FdStates.succeeded(fd);
  }

  private static ByteBuffer[] sources(int total, byte[]... parts) {
    ByteBuffer[] sources = new ByteBuffer[parts.length];
    int left = total;
    for (int i = 0; i < parts.length; i++) {
      sources[i] = ByteBuffer.wrap(parts[i], 0, Math.min(left, parts[i].length));
      left -= sources[i].remaining();
    }
    return sources;
  }

  private void flush(Kernel kernel, long done) throws IOException {
    int result = out.flush(kernel);
    while (result < 0) {
      Io.writeAgain(kernel, fd, -result, done);
      requireOpen();
      result = out.flush(kernel);
    }
  }

  // ---- ends

  /** Says close_notify; waits until that has room. */
  void shutdownWrite(Kernel kernel) throws IOException {

    handshake(kernel, Deadline.NONE);
    lock(kernel, writing, "shutdown", Deadline.NONE, 0);
    try {
      flush(kernel, 0);
      engine.closeOutbound();
      out.wrap(kernel);
      flush(kernel, 0);
    } finally {
      writing.unlock();
    }
  }

  /** Says close_notify if that can be said at once. Waits for nothing. */
  void close(Kernel kernel) {
    isClosed = true;
    if (isOpen
        && writing.tryLock()) { // else somebody's write is not done, and the end no clean one
      try {
        if (out.flush(kernel) == 0) {
          engine.closeOutbound();
          out.wrap(kernel);
        }
      } catch (SSLException e) {
        // the engine is at its end already
      } finally {
        writing.unlock();
      }
    }
  }

  // ---- parts

  private void lock(Kernel kernel, ReentrantLock lock, String call, Deadline deadline, int before)
      throws IOException {
    if (!lock.tryLock() && !waitFor(lock, call, deadline, before)) {
      throw Io.timedOut(kernel, fd, deadline.limit(), before);
    }
    if (isClosed) {
      lock.unlock();
      throw new ClosedChannelException();
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // a yield of the fiber
  private boolean waitFor(ReentrantLock lock, String call, Deadline deadline, int before)
      throws IOException {
    try {
      Duration left = deadline.left();
      if (!left.isNegative()) {
        return lock.tryLock(left.toNanos(), TimeUnit.NANOSECONDS);
      }
      lock.lockInterruptibly();
      return true;
    } catch (InterruptedException e) {
      Thread.yield(); // who swallows that in a loop must not hold the driver for ever
      throw Io.cancelled(call + " on fd " + fd, before, e);
    }
  }

  private void requireOpen() throws ClosedChannelException {
    if (isClosed) {
      throw new ClosedChannelException();
    }
  }
}
