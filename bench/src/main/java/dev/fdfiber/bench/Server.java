package dev.fdfiber.bench;

/** Listens when it is made; one thread then serves. */
interface Server {
  int BACKLOG = 1024;

  int port();

  /** Serves for ever. */
  void serve() throws Exception;
}
