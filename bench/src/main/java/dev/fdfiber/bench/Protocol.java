package dev.fdfiber.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;

/** What a server answers; the same bytes out of the same buffers, whoever serves. */
enum Protocol {
  /** What came. */
  ECHO {
    @Override
    void answer(ByteBuffer in, ByteChannel out) throws IOException {
      in.flip();
      write(in, out);
      in.clear();
    }
  },

  /** One fixed response for each head of a request; there are no bodies. */
  HTTP {
    @Override
    void answer(ByteBuffer in, ByteChannel out) throws IOException {
      for (int heads = takeHeads(in); heads > 0; heads--) {
        write(RESPONSE.duplicate(), out);
      }
    }
  };

  /** The size of every connection's buffer for what comes in. */
  static final int BUFFER = 4096;

  static final String BODY = "Hello, world!";

  static final ByteBuffer RESPONSE =
      direct("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n" + BODY);

  /** Answers what a read put into the buffer, and leaves there what is not whole. */
  abstract void answer(ByteBuffer in, ByteChannel out) throws IOException;

  /** Serves a connection that waits by itself, until the other side ends it. */
  final void converse(ByteChannel connection) throws IOException {
    ByteBuffer in = ByteBuffer.allocateDirect(BUFFER);
    while (connection.read(in) >= 0) {
      answer(in, connection);
    }
  }

  /** How many requests end in what was read; removes them. */
  static int takeHeads(ByteBuffer in) {
    int heads = 0;
    int end = 0;
    for (int i = 3; i < in.position(); i++) {
      if (in.get(i) == '\n'
          && in.get(i - 1) == '\r'
          && in.get(i - 2) == '\n'
          && in.get(i - 3) == '\r') {
        heads++;
        end = i + 1;
      }
    }
    in.flip().position(end);
    in.compact();
    return heads;
  }

  private static void write(ByteBuffer bytes, ByteChannel out) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  private static ByteBuffer direct(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }
}
