package dev.fdfiber.examples.http;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.sock.Workers;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * A connection: one request after the other, in straight lines.
 *
 * <p>In the common case a request is one read, its answer one write. Answers to pipelined requests
 * are collected, and written when there is nothing more to read, or when a handler may take long.
 *
 * <p>A client that leaves is nothing to report. What a handler throws is: the client gets a 500 and
 * the exception goes on to whoever started the fiber.
 */
final class HttpConnection {
  private static final byte[] CLOSE = line("Connection: close\r\n\r\n");
  private static final byte[] KEEP = line("Connection: keep-alive\r\n\r\n");
  private static final byte[] CHUNKED = line("Transfer-Encoding: chunked\r\n");
  private static final byte[] END = line("\r\n");

  /** How much of a body that nobody asked for is read to save the connection. */
  private static final int DRAINED = 256 * 1024;

  private static final long LINGER_NANOS = 10_000_000_000L;
  private static final Duration LINGER_SILENCE = Duration.ofSeconds(2);

  private final HttpService service;
  private final int fd;
  private final Workers.Connection connection;
  private final Output output;
  private final Input in;
  private final HeadReader heads;

  HttpConnection(HttpService service, Workers.Connection connection) {
    this.service = service;
    this.connection = connection;
    this.fd = connection.fd();
    this.output = new Output(fd);
    this.in = new Input(connection, service.isTls, output);
    this.heads = new HeadReader(service.limits, in);
  }

  private static byte[] line(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  void serve() throws Exception {
    try {
      boolean goesOn = !service.isTls || handshake();
      while (goesOn) {
        goesOn = awaitRequest() && exchange();
      }
    } catch (ClientGoneException e) {
      // nobody is left to tell
    }
  }

  /** False if it fails: the client was told why, by an alert, and there is nobody to answer. */
  private boolean handshake() throws IOException {
    Sock.setRecvTimeout(fd, service.limits.head().toMillis());
    try {
      Sock.acceptTls(fd);
      Sock.setRecvTimeout(fd, 0);
      return true;
    } catch (SSLException | SocketTimeoutException | EOFException e) {
      return false;
    } catch (ErrnoException e) {
      throw Gone.orSame(e);
    }
  }

  private boolean awaitRequest() throws IOException, InterruptedException {
    if (!in.isEmpty()) {
      return true;
    }
    output.flush();
    return in.awaitMore(service.limits.idle()) && in.readNow();
  }

  /** Serves a request; false when the connection is over. */
  private boolean exchange() throws Exception {
    Request request;
    try {
      Optional<Request> read = heads.read(output);
      if (read.isEmpty()) {
        return false;
      }
      request = read.get();
    } catch (Refused e) {
      sendBytes(refusal(e), false, CLOSE);
      linger();
      return false;
    }
    if (!service.handler.isInstant(request)) {
      output.flush();
    }
    Response response = answer(request);
    return send(request, response) && drain(request.body());
  }

  private Response answer(Request request) throws Exception {
    try {
      return service.handler.answer(request);
    } catch (Refused e) {
      return refusal(e);
    } catch (InterruptedException | InterruptedIOException | ClientGoneException e) {
      throw e;
    } catch (Exception | Error e) {
      tellFailed(request, e);
      throw e;
    }
  }

  private void tellFailed(Request request, Throwable failure) {
    try {
      sendBytes(Response.text(500, "this went wrong\n"), request.isHead(), CLOSE);
      output.flush();
      if (!request.body().isEnded()) {
        linger();
      }
    } catch (Exception e) {
      failure.addSuppressed(e);
    }
  }

  private static Response refusal(Refused e) {
    return Response.text(e.status(), e.getMessage() + "\n");
  }

  // ---- answers

  /** Sends an answer; false if the connection ends with it. */
  private boolean send(Request request, Response response) throws Exception {
    boolean keepAlive =
        request.keepsAlive() && request.body().isShort(DRAINED) && !connection.isStopping();
    return switch (response.content()) {
      case Response.Bytes bytes -> {
        sendBytes(response, request.isHead(), last(request, keepAlive));
        yield keepAlive || end(request);
      }
      case Response.None none -> {
        sendHead(response, last(request, keepAlive));
        yield keepAlive || end(request);
      }
      case Response.File file -> {
        sendHead(response, last(request, keepAlive));
        boolean isWhole = request.isHead() || sendFile(file);
        yield isWhole && (keepAlive || end(request));
      }
      case Response.Stream stream -> sendStream(request, response, stream, keepAlive);
    };
  }

  private static byte[] last(Request request, boolean keepAlive) {
    if (!keepAlive) {
      return CLOSE;
    }
    return request.isOld() ? KEEP : END;
  }

  private void sendHead(Response response, byte[]... last) throws IOException {
    output.add(response.head());
    output.add(service.dates.now());
    for (byte[] part : last) {
      output.add(part);
    }
  }

  private void sendBytes(Response response, boolean isHead, byte[] last) throws IOException {
    sendHead(response, last);
    if (!isHead && response.content() instanceof Response.Bytes bytes) {
      output.add(bytes.data);
    }
  }

  /** False if the file is not any more as long as the head says: the framing is lost. */
  private boolean sendFile(Response.File file) throws IOException {
    output.flush();
    try {
      return Sock.sendfile(fd, file.path()) == file.size();
    } catch (IOException e) {
      throw Gone.orSame(e);
    }
  }

  private boolean sendStream(
      Request request, Response response, Response.Stream stream, boolean keepAlive)
      throws Exception {
    boolean isChunked = !request.isOld();
    boolean goesOn = keepAlive && isChunked;
    byte[] last = last(request, goesOn);
    if (isChunked) {
      sendHead(response, CHUNKED, last);
    } else {
      sendHead(response, last);
    }
    if (!request.isHead()) {
      output.flush();
      Out out = new Out(connection, in, isChunked);
      try {
        stream.writer().write(out);
      } catch (Refused e) {
        return false; // too late for an answer; the body is broken off
      }
      out.end();
    }
    return goesOn || end(request);
  }

  // ---- ends

  /** After an answer, the body of its request must be out of the way of the next one. */
  private boolean drain(Body body) throws IOException, InterruptedException {
    if (body.isEnded() || body.drain(DRAINED)) {
      return true;
    }
    linger();
    return false;
  }

  /** The last answer of a connection is given; always false. */
  private boolean end(Request request) throws IOException, InterruptedException {
    output.flush();
    if (!request.body().isEnded() || !in.isEmpty()) {
      linger();
    }
    return false;
  }

  /**
   * Lets the client read the answer before the descriptor is closed: to close a socket with bytes
   * that were never read, such as a body, resets the connection, and the answer is lost.
   */
  private void linger() throws IOException, InterruptedException {
    output.flush();
    in.endOutput();
    long end = System.nanoTime() + LINGER_NANOS;
    while (System.nanoTime() - end < 0 && Sock.awaitReadable(fd, LINGER_SILENCE)) {
      in.consume(in.to());
      if (!in.readNow()) {
        return;
      }
    }
  }
}
