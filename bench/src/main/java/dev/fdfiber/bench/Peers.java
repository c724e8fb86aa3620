package dev.fdfiber.bench;

/** Who is compared, by the names that tables and charts show. */
final class Peers {
  static final String FDFIBER = "fdfiber";
  static final String FDFIBER_IO_WAIT = "fdfiber ioWait";
  static final String FDFIBER_CHANNEL = "fdfiber FdChannel";
  static final String FDFIBER_SOCK = "fdfiber Sock";
  static final String VIRTUAL = "virtual threads";
  static final String VIRTUAL_ONE = "virtual threads, parallelism 1";
  static final String NIO = "NIO Selector";
  static final String NETTY = "Netty epoll";
  static final String NETTY_CODEC = "Netty epoll, its HTTP codec";
  static final String C = "C epoll";
  static final String C_READ_FIRST = "C epoll, read first";
  static final String C_WAIT_FIRST = "C epoll, wait first";

  private Peers() {}
}
