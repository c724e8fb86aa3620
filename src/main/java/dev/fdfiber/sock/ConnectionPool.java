package dev.fdfiber.sock;

import dev.fdfiber.Clock;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.NonBlocking;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Connections that are kept for the next use: the one put back last is lent first. One that the
 * other side has closed, or has said something on meanwhile, is closed and not lent; it may still
 * close one in the moment after. What is lent is the borrower's: to {@link #checkin} after an
 * exchange that is over on both sides, else to {@link Sock#close}. Any thread.
 */
public final class ConnectionPool implements AutoCloseable {
  private static final int MOST_IDLE = 256;

  private record Peer(String host, int port, boolean isTls) {
    static Peer of(String host, int port, boolean isTls) {
      return new Peer(host.toLowerCase(Locale.ROOT), port, isTls);
    }
  }

  private record Idle(int fd, FileId file, Peer peer, long sinceNanos) {}

  private record Lent(FileId file, Peer peer) {}

  private final int mostIdle;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();

  /** The one put back last is the last. */
  private final ArrayDeque<Idle> idle = new ArrayDeque<>();

  /** By descriptor. What the borrower closes stays until its number is lent again. */
  private final Map<Integer, Lent> lent = new HashMap<>();

  private boolean isClosed;
  private long checkouts;
  private long checkins;
  private long hits;
  private long misses;

  /** A pool that keeps 256 connections at most. */
  public ConnectionPool() {
    this(MOST_IDLE);
  }

  /**
   * A pool that keeps that many connections at most, and closes the one that is idle for longest
   * when another is put back.
   *
   * @throws IllegalArgumentException if that is negative
   */
  public ConnectionPool(int mostIdle) {
    this(mostIdle, Clock.system());
  }

  ConnectionPool(int mostIdle, Clock clock) {
    if (mostIdle < 0) {
      throw new IllegalArgumentException("cannot keep " + mostIdle + " connections");
    }
    this.mostIdle = mostIdle;
    this.clock = clock;
  }

  // ---- lending

  /**
   * Lends a connection, or makes one as {@link Sock#connect(String, int)} does; suspends then.
   *
   * @throws IllegalStateException if this pool is closed
   */
  public int checkout(String host, int port) throws IOException {
    return checkout(Peer.of(host, port, false), host);
  }

  /**
   * Lends a connection that speaks TLS, or makes one as {@link Sock#connectTls(String, int)} does;
   * suspends then.
   *
   * @throws IllegalStateException if this pool is closed
   */
  public int checkoutTls(String host, int port) throws IOException {
    return checkout(Peer.of(host, port, true), host);
  }

  private int checkout(Peer peer, String host) throws IOException {
    Kernel kernel = Io.kernel();
    lock.lock();
    try {
      requireOpen();
      checkouts++;
    } finally {
      lock.unlock();
    }
    for (Idle next = take(peer); next != null; next = take(peer)) {
      if (isQuiet(kernel, next.fd, next.file)) {
        return lend(next.fd, next.file, peer, true);
      }
      close(kernel, next);
    }
    int fd = peer.isTls ? Sock.connectTls(host, peer.port) : Sock.connect(host, peer.port);
    FileId file = FileId.of(kernel, fd);
    return file == null ? fd : lend(fd, file, peer, false);
  }

  private @Nullable Idle take(Peer peer) {
    lock.lock();
    try {
      Iterator<Idle> newestFirst = idle.descendingIterator();
      while (newestFirst.hasNext()) {
        Idle next = newestFirst.next();
        if (next.peer.equals(peer)) {
          newestFirst.remove();
          return next;
        }
      }
      return null;
    } finally {
      lock.unlock();
    }
  }

  private int lend(int fd, FileId file, Peer peer, boolean isHit) {
    lock.lock();
    try {
      hits += isHit ? 1 : 0;
      misses += isHit ? 0 : 1;
      lent.put(fd, new Lent(file, peer));
      return fd;
    } finally {
      lock.unlock();
    }
  }

  // ---- taking back

  /**
   * Takes a connection back that this pool lent, its receive timeout undone. Does not suspend.
   *
   * @throws IllegalArgumentException if it did not, or if it was closed meanwhile
   */
  public void checkin(int fd) {
    Kernel kernel = Io.kernel();
    Lent known = forget(fd);
    if (known == null || !known.file.equals(FileId.of(kernel, fd))) {
      throw new IllegalArgumentException("fd " + fd + " is no connection that this pool lent");
    }
    keep(kernel, fd, known.file, known.peer);
  }

  private @Nullable Lent forget(int fd) {
    lock.lock();
    try {
      return lent.remove(fd);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes a connection to that host, whoever made it; over TLS if it speaks that. Does not suspend.
   *
   * @throws IllegalArgumentException if it is not open, or in this pool already
   */
  public void checkin(int fd, String host, int port) {
    Kernel kernel = Io.kernel();
    FileId file = FileId.of(kernel, fd);
    if (file == null) {
      throw new IllegalArgumentException("fd " + fd + " is not open");
    }
    lock.lock();
    try {
      if (idle.stream().anyMatch(other -> other.fd == fd && other.file.equals(file))) {
        throw new IllegalArgumentException("fd " + fd + " is in this pool already");
      }
      lent.remove(fd);
    } finally {
      lock.unlock();
    }
    keep(kernel, fd, file, Peer.of(host, port, FdStates.tls(kernel, fd) != null));
  }

  private void keep(Kernel kernel, int fd, FileId file, Peer peer) {
    FdStates.recvTimeout(fd, file, -1);
    boolean isQuiet = isQuiet(kernel, fd, file);
    Idle last = new Idle(fd, file, peer, clock.nanoTime());
    List<Idle> surplus = new ArrayList<>();
    lock.lock();
    try {
      checkins++;
      if (isQuiet && !isClosed) {
        idle.addLast(last);
      } else {
        surplus.add(last);
      }
      while (idle.size() > mostIdle) {
        surplus.add(idle.removeFirst());
      }
    } finally {
      lock.unlock();
    }
    surplus.forEach(each -> close(kernel, each));
  }

  // ---- ends

  /**
   * Closes what has been idle for at least that long. Does not suspend.
   *
   * @return how many connections that was
   * @throws IllegalArgumentException if the time is negative
   */
  public int closeIdle(long seconds) {
    if (seconds < 0) {
      throw new IllegalArgumentException(seconds + " s is negative");
    }
    long now = clock.nanoTime();
    List<Idle> old = new ArrayList<>();
    lock.lock();
    try {
      while (!idle.isEmpty() && (now - idle.getFirst().sinceNanos) / 1_000_000_000 >= seconds) {
        old.add(idle.removeFirst());
      }
    } finally {
      lock.unlock();
    }
    Kernel kernel = Io.kernel();
    old.forEach(each -> close(kernel, each));
    return old.size();
  }

  /**
   * Closes what is idle; what is lent is closed when it is put back. Nothing is lent any more. The
   * second time does nothing.
   */
  @Override
  public void close() {
    lock.lock();
    try {
      isClosed = true;
    } finally {
      lock.unlock();
    }
    closeIdle(0);
  }

  /** If nothing was closed or said, by whichever side. */
  private static boolean isQuiet(Kernel kernel, int fd, FileId file) {
    if (!file.equals(FileId.of(kernel, fd))) {
      return false;
    }
    TlsStream tls = FdStates.tls(kernel, fd);
    try {
      return tls == null
          ? NonBlocking.ready(kernel, fd, Linux.POLLIN) == 0
          : !tls.isReadable(kernel);
    } catch (IOException e) {
      return false;
    }
  }

  /** Unless somebody closed it behind this pool's back, and the number is another file's. */
  private static void close(Kernel kernel, Idle connection) {
    if (connection.file.equals(FileId.of(kernel, connection.fd))) {
      Tcp.close(kernel, connection.fd);
    }
  }

  private void requireOpen() {
    if (isClosed) {
      throw new IllegalStateException("the pool is closed");
    }
  }

  // ---- counters

  /** How many connections were asked for. */
  public long checkouts() {
    return read(() -> checkouts);
  }

  /** How many were put back. */
  public long checkins() {
    return read(() -> checkins);
  }

  /** How many that were asked for were there. */
  public long hits() {
    return read(() -> hits);
  }

  /** How many had to be made; one that could not be is none of them. */
  public long misses() {
    return read(() -> misses);
  }

  private long read(LongSupplier counter) {
    lock.lock();
    try {
      return counter.getAsLong();
    } finally {
      lock.unlock();
    }
  }
}
