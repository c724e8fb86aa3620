package dev.fdfiber.sock;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.NativeBuffers;
import dev.fdfiber.kernel.NonBlocking;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutionException;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * The receiving half of a TLS stream: what came and is not decrypted, what is decrypted and was not
 * asked for, and how it ended. All whole records are decrypted as they come, so that what is left
 * of the former is a part of one. Holds no memory for what is not there. Under the read lock of its
 * {@link TlsStream}.
 */
final class TlsInbound {
  /** Sends the other side what the engine owes it, if that is possible now. */
  @FunctionalInterface
  interface Answers {
    void send(Kernel kernel) throws SSLException;
  }

  /** How many answers the other side may ask for while none can be sent. */
  private static final int MOST_OWED = 1000;

  private static final int HEADER = 5; // of a record: type, version, length

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final SSLEngine engine;
  private final int fd;
  private final Answers answers;

  private ByteBuffer records = NOTHING;
  private ByteBuffer plain = NOTHING;

  /** The other side has said that nothing more comes. */
  private boolean hasEnded;

  /** Why nothing more can be read: an errno, or a reason and what led to it. Others look too. */
  private volatile int errno;

  private volatile @Nullable String failure;
  private volatile @Nullable Throwable cause;

  private int owed;

  TlsInbound(SSLEngine engine, int fd, Answers answers) {
    this.engine = engine;
    this.fd = fd;
    this.answers = answers;
  }

  // ---- what is there

  /** If there are bytes, the end or a failure to tell. */
  boolean hasNews() {
    return plain.hasRemaining() || hasEnded || failure != null || errno != 0;
  }

  /** Takes decrypted bytes, as many as there are and at most {@code max}. */
  byte[] take(int max) {
    byte[] bytes = new byte[Math.min(max, plain.remaining())];
    plain.get(bytes);
    if (!plain.hasRemaining()) {
      plain = NOTHING;
    }
    return bytes;
  }

  /** The first bytes of what came and is not understood. */
  byte[] beginning() {
    byte[] bytes = new byte[Math.min(16, records.remaining())];
    records.get(records.position(), bytes);
    return bytes;
  }

  void fail(String why, @Nullable Throwable from) {
    cause = from;
    failure = why;
  }

  @Nullable String failure() {
    return failure;
  }

  /** Throws if nothing more can be read, and that is not the end. Any thread. */
  void requireWhole(Kernel kernel, String call) throws IOException {
    if (errno != 0) {
      throw Io.failed(kernel, call, fd, errno);
    }
    if (failure != null) {
      FdStates.ended(kernel, fd, IoStatus.ERROR);
      throw new SSLException(call + " on fd " + fd + ": " + failure, cause);
    }
  }

  // ---- what comes

  /** If there is something to tell; receives once where there is not. */
  boolean look(Kernel kernel) throws IOException {
    if (hasNews()) {
      return true;
    }
    long n = receive(kernel);
    if (n > 0) {
      decrypt(kernel);
    } else if (n == 0) {
      fail("the stream ends without a close_notify, so it may have been cut off", null);
    } else if (n != -Errno.EAGAIN) {
      errno = (int) -n;
    }
    return hasNews();
  }

  /** Receives once: how many bytes, 0 at the end of the stream, or minus errno. */
  long receive(Kernel kernel) {
    MemorySegment buffer = NativeBuffers.take();
    try {
      long n;
      do {
        n = NonBlocking.read(kernel, fd, buffer, NativeBuffers.SIZE);
      } while (n == -Errno.EINTR);
      if (n > 0) {
        ByteBuffer all = ByteBuffer.allocate(Math.addExact(records.remaining(), (int) n));
        all.put(records);
        MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, all.array(), all.position(), (int) n);
        records = all.rewind();
      }
      return n;
    } finally {
      NativeBuffers.give(buffer);
    }
  }

  /** Decrypts the records that are there; notes what is wrong with them. */
  void decrypt(Kernel kernel) throws IOException {
    try {
      Status status = Status.OK;
      while (status == Status.OK && failure == null) {
        status = unwrap();
        HandshakeStatus wants = engine.getHandshakeStatus();
        if (status == Status.OK && wants != HandshakeStatus.NOT_HANDSHAKING) {
          afterHandshake(wants);
        }
        answer(kernel);
      }
    } catch (SSLException e) {
      fail(TlsFailure.reason(e, beginning()), e);
      answers.send(kernel); // an alert
    }
  }

  /** What is no data: TLS 1.3 renews keys and sends tickets, TLS 1.2 wants another handshake. */
  private void afterHandshake(HandshakeStatus wants) throws IOException {
    if (!engine.getSession().getProtocol().equals("TLSv1.3")) {
      fail("the other side asks for another handshake, which is refused here", null);
      engine.closeOutbound();
    } else if (wants == HandshakeStatus.NEED_TASK) {
      runTasks();
    }
  }

  private void answer(Kernel kernel) throws SSLException {
    boolean isOwing = engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP;
    if (isOwing) {
      answers.send(kernel);
      isOwing = engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP;
    }
    owed = isOwing ? owed + 1 : 0;
    if (owed > MOST_OWED) {
      fail("the other side asks for answers and does not read them", null);
    }
  }

  /**
   * Decrypts one record, or takes one message of the handshake. {@code BUFFER_UNDERFLOW} if there
   * is no whole one.
   */
  Status unwrap() throws SSLException {
    while (true) {
      Status status = unwrapOnce();
      if (status != Status.BUFFER_OVERFLOW) {
        hasEnded |= status == Status.CLOSED;
        records = hasEnded || !records.hasRemaining() ? NOTHING : records;
        return status;
      }
      if (!isWhole()) {
        return Status.BUFFER_UNDERFLOW; // the engine asks for room first
      }
      // What a record holds is shorter than the record, so this is enough for all that came.
      plain = ByteBuffer.allocate(plain.remaining() + records.remaining()).put(plain).flip();
    }
  }

  private Status unwrapOnce() throws SSLException {
    plain.compact();
    try {
      return engine.unwrap(records, plain).getStatus();
    } catch (RuntimeException e) {
      throw new SSLException("a record that the JDK cannot read", e);
    } finally {
      plain.flip();
    }
  }

  /** If all is there of the record that they begin with, RFC 8446 section 5.1. */
  private boolean isWhole() {
    if (records.remaining() < HEADER) {
      return false;
    }
    int length = records.getShort(records.position() + HEADER - Short.BYTES) & 0xffff;
    return records.remaining() >= HEADER + length;
  }

  /** What the JDK wants done elsewhere than on the driver: certificates checked, data signed. */
  void runTasks() throws IOException {
    try {
      HelperThreads.call(
          "TLS handshake on fd " + fd,
          () -> {
            Runnable task = engine.getDelegatedTask();
            while (task != null) {
              task.run();
              task = engine.getDelegatedTask();
            }
            return null;
          });
    } catch (ExecutionException e) {
      throw new SSLException(e.getCause());
    } catch (IOException e) {
      fail("it was cancelled in the middle of the handshake", e); // the tasks' results are lost
      throw e;
    }
  }
}
