package dev.fdfiber.examples;

import dev.fdfiber.Scheduler;
import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Two fibers and a socket between them, on the thread that calls. */
public final class Hello {
  private Hello() {}

  /** Prints what happens, in the order in which it does. */
  public static void main(String[] args) throws IOException {
    try (Scheduler scheduler = Scheduler.create()) {
      int listener = Sock.listen(0, false);
      int port = Sock.localPort(listener);
      scheduler.spawn(
          "server",
          () -> {
            int fd = Sock.accept(listener);
            System.out.println("server: somebody is there; half a second, please");
            Scheduler.pause(0.5);
            Sock.writeStr(fd, "hello\n");
            Sock.close(fd);
          });
      scheduler.spawn(
          "client",
          () -> {
            int fd = Sock.connect("127.0.0.1", port);
            System.out.println("client: connected; waiting for its descriptor");
            Scheduler.ioWait(fd, Scheduler.READ, 5);
            String text = new String(Sock.recvAll(fd, 0), StandardCharsets.UTF_8);
            System.out.print("client: got " + text);
            Sock.close(fd);
          });
      scheduler.run();
      Sock.close(listener);
    }
  }
}
