package dev.fdfiber.examples.http;

import dev.fdfiber.sock.Workers;
import java.io.IOException;

/** Serves HTTP/1.1 on connections, one fiber each, with one handler for all. Any number at once. */
public final class HttpService {
  final Handler handler;
  final Limits limits;
  final boolean isTls;
  final Dates dates = new Dates();

  public HttpService(Handler handler, Limits limits) {
    this(handler, limits, false);
  }

  /**
   * Makes a service.
   *
   * @param isTls if connections begin with a handshake, for which {@code Sock.tlsServerInit} has
   *     said who this is
   */
  public HttpService(Handler handler, Limits limits, boolean isTls) {
    this.handler = handler;
    this.limits = limits;
    this.isTls = isTls;
  }

  /**
   * Serves a connection to its end; suspends for as long as that takes. The descriptor is left to
   * the caller to close.
   *
   * @throws IOException if a call on the descriptor fails, but for a client that has left
   * @throws Exception what the handler threw, once the client has its 500
   */
  public void serve(Workers.Connection connection) throws Exception {
    new HttpConnection(this, connection).serve();
  }
}
