package dev.fdfiber.sock;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.NativeBuffers;
import dev.fdfiber.kernel.NonBlocking;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/**
 * The sending half of a TLS stream. What is encrypted has its place in the stream, so the rest of a
 * record that found no room is kept and goes out before anything else, whoever writes next: a
 * cancelled write tears no record. Under the write lock of its {@link TlsStream}; waits for
 * nothing.
 */
final class TlsOutbound {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final SSLEngine engine;
  private final int fd;

  /** Encrypted and not sent. */
  private ByteBuffer rest = NOTHING;

  TlsOutbound(SSLEngine engine, int fd) {
    this.engine = engine;
    this.fd = fd;
  }

  /** Sends what is left from before: 0 if that is all gone, or minus errno. */
  int flush(Kernel kernel) {
    while (rest.hasRemaining()) {
      MemorySegment buffer = NativeBuffers.take();
      long n;
      try {
        int count = Math.min(rest.remaining(), NativeBuffers.SIZE);
        buffer.asByteBuffer().put(0, rest, rest.position(), count);
        n = NonBlocking.write(kernel, fd, buffer, count);
      } finally {
        NativeBuffers.give(buffer);
      }
      if (n >= 0) {
        rest.position(rest.position() + (int) n);
      } else if (n != -Errno.EINTR) {
        return (int) n;
      }
    }
    rest = NOTHING;
    return 0;
  }

  /** If the engine has something to say of its own: the handshake, an answer, an alert, the end. */
  boolean isOwing() {
    return engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP;
  }

  /** Sends what the engine has to say, as far as there is room. */
  void answer(Kernel kernel) throws SSLException {
    if (flush(kernel) == 0 && isOwing()) {
      wrap(kernel);
    }
  }

  /**
   * Encrypts from the sources, as much as a buffer holds, and sends it; what finds no room, or
   * fails, is the next {@link #flush}'s. Only after one that left nothing.
   *
   * @throws SSLException if the engine takes no more
   */
  void wrap(Kernel kernel, ByteBuffer... sources) throws SSLException {
    MemorySegment buffer = NativeBuffers.take();
    try {
      ByteBuffer records = buffer.asByteBuffer();
      encrypt(records, sources);
      int length = records.flip().remaining();
      if (length > 0) {
        int sent = (int) Math.max(0, NonBlocking.write(kernel, fd, buffer, length));
        if (sent < length) {
          rest = ByteBuffer.allocate(length - sent).put(records.position(sent)).flip();
        }
      }
    } finally {
      NativeBuffers.give(buffer);
    }
  }

  private void encrypt(ByteBuffer records, ByteBuffer... sources) throws SSLException {
    boolean goesOn = true;
    while (goesOn) {
      SSLEngineResult result = wrapOnce(records, sources);
      boolean isEmpty = result.bytesProduced() == 0;
      goesOn =
          switch (result.getStatus()) {
            case OK, BUFFER_UNDERFLOW -> !isEmpty && (remaining(sources) > 0 || isOwing());
            case BUFFER_OVERFLOW, CLOSED -> false;
          };
      if (isEmpty && records.position() == 0 && remaining(sources) > 0) {
        throw new SSLException("it takes no more bytes");
      }
    }
  }

  private SSLEngineResult wrapOnce(ByteBuffer records, ByteBuffer... sources) throws SSLException {
    try {
      return engine.wrap(sources, records);
    } catch (RuntimeException e) {
      throw new SSLException("bytes that the JDK cannot encrypt", e);
    }
  }

  static int remaining(ByteBuffer... sources) {
    int sum = 0;
    for (ByteBuffer source : sources) {
      sum += source.remaining();
    }
    return sum;
  }
}
