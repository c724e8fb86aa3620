package dev.fdfiber.sock;

import dev.fdfiber.Scheduler;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/** Answers lines, each of which says what is to happen. */
final class LineHandler implements Workers.Handler {
  /** Opened by the test: then {@code slow} is answered. */
  final CountDownLatch gate = new CountDownLatch(1);

  private final Duration idleLimit;

  LineHandler(Duration idleLimit) {
    this.idleLimit = idleLimit;
  }

  LineHandler() {
    this(Duration.ofSeconds(-1));
  }

  @Override
  public void handle(Workers.Connection c) throws Exception {
    while (c.awaitRequest(idleLimit)) {
      String lines = new String(Sock.recvSome(c.fd(), 0), StandardCharsets.UTF_8);
      if (lines.isEmpty()) {
        return;
      }
      for (String line : lines.lines().toList()) {
        Sock.writeStr(c.fd(), answer(c, line) + "\n");
      }
    }
    Sock.writeStr(c.fd(), "bye\n");
  }

  private String answer(Workers.Connection c, String line) throws Exception {
    return switch (line) {
      case "who" -> Thread.currentThread().getName().replaceAll(" fd .*", "") + " " + c.worker();
      case "throw" -> throw new IllegalArgumentException("thrown by a handler");
      case "error" -> throw new StackOverflowError("thrown by a handler");
      case "slow" -> {
        Sock.writeStr(c.fd(), "begun\n");
        gate.await();
        yield "slow done, stopping " + c.isStopping();
      }
      case "for ever" -> {
        Sock.writeStr(c.fd(), "begun\n");
        Scheduler.pause(Double.POSITIVE_INFINITY);
        yield "";
      }
      default -> "echo " + line;
    };
  }
}
