package dev.fdfiber.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Place;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Thousands of clients that send a head a byte at a time, and never all of it. */
@FdTest
@Tag("slow")
class SlowlorisTest {
  private static final String HELLO = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

  @TempDir Path directory;

  @Test
  void fiveThousand_leaveTheServerAnsweringOthers(Scheduler scheduler) throws Exception {
    int count = 5000;
    try (ChildWorker child = new ChildWorker(directory, "--port", "0", "--head-seconds", "300")) {
      int port = child.port();
      ask(port, 1); // opens what the server keeps
      long before = child.openFds();
      CountDownLatch slow = new CountDownLatch(count);
      List<Fiber> fibers = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        fibers.add(scheduler.spawn("slow", () -> trickle(port, slow)));
      }
      Fiber other =
          scheduler.spawn(
              "other",
              () -> {
                slow.await();
                ask(port, 100);
                fibers.forEach(Fiber::cancel);
              });
      scheduler.run();
      Place.rethrow(other);
      awaitClosed(child, before);
      assertThat(child.errors()).isEmpty();
    }
  }

  /** Opens a request, and goes on with it until it is cancelled. */
  private static void trickle(int port, CountDownLatch begun) throws Exception {
    int fd = Sock.connect("127.0.0.1", port);
    try {
      Sock.writeStr(fd, "GET / HTTP/1.1\r\nX: ");
      begun.countDown();
      while (true) {
        if (Scheduler.ioWait(fd, Scheduler.READ, 4) != 0) {
          throw new AssertionError("was answered: " + text(Sock.recvSome(fd, 0)));
        }
        Sock.writeStr(fd, "y");
      }
    } finally {
      Sock.close(fd);
    }
  }

  /** Waits until the server has closed all that it accepted; the JVM may have opened a few. */
  private static void awaitClosed(ChildWorker child, long before) throws Exception {
    while (child.openFds() > before + 10) {
      Thread.onSpinWait();
    }
  }

  private static void ask(int port, int times) throws Exception {
    int fd = Sock.connect("127.0.0.1", port);
    try {
      for (int i = 0; i < times; i++) {
        Sock.writeStr(fd, HELLO);
        assertThat(Scheduler.ioWait(fd, Scheduler.READ, 20)).as("request %d", i).isNotZero();
        assertThat(text(Sock.recvSome(fd, 0))).startsWith("HTTP/1.1 200 OK").endsWith("hello\n");
      }
    } finally {
      Sock.close(fd);
    }
  }

  @Test
  void thousand_areToldToGo_whenTheirTimeIsUp(Scheduler scheduler) throws Exception {
    int count = 1000;
    try (ChildWorker child = new ChildWorker(directory, "--port", "0", "--head-seconds", "1")) {
      int port = child.port();
      ask(port, 1); // opens what the server keeps
      long before = child.openFds();
      List<Fiber> fibers = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        fibers.add(scheduler.spawn("slow", () -> trickleUntilRefused(port)));
      }
      scheduler.run();
      for (Fiber fiber : fibers) {
        Place.rethrow(fiber);
      }
      awaitClosed(child, before);
      assertThat(child.errors()).isEmpty();
    }
  }

  private static void trickleUntilRefused(int port) throws Exception {
    int fd = Sock.connect("127.0.0.1", port);
    try {
      Sock.writeStr(fd, "GET / HTTP/1.1\r\nX: ");
      while (Scheduler.ioWait(fd, Scheduler.READ, 0.2) == 0) {
        Sock.writeStr(fd, "y");
      }
      assertThat(text(Sock.recvSome(fd, 0))).startsWith("HTTP/1.1 408 Request Timeout\r\n");
    } finally {
      Sock.close(fd);
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
