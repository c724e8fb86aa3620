package dev.fdfiber.examples.fds;

import dev.fdfiber.fd.Command;
import dev.fdfiber.fd.PidFd;
import dev.fdfiber.sock.Sock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Restarts a server that ends, and no connection is refused meanwhile: PORT [TIMES]. */
public final class Supervisor {
  private static final int HANDED_OVER = 3;

  public static void main(String[] args) throws IOException {
    if (args[args.length - 1].equals("child")) {
      int connection = Sock.accept(HANDED_OVER);
      Sock.writeStr(connection, "served by " + Sock.getpid() + "\n");
      Sock.shutdownWrite(connection);
      Sock.recvAll(connection, 0); // what is closed unread breaks the answer off
      Sock.close(connection);
      return; // a fragile server: one answer, and it is gone
    }
    int listener = Sock.listen(Integer.parseInt(args[0]), false);
    System.out.println("listening on " + Sock.localPort(listener));
    String me = Files.readString(Path.of("/proc/self/cmdline"));
    List<String> words = new ArrayList<>(List.of(me.split("\0")));
    words.add("child");
    Command server = Command.of(words).fd(HANDED_OVER, listener);
    for (int times = args.length > 1 ? Integer.parseInt(args[1]) : 1000; times > 0; times--) {
      try (PidFd child = PidFd.spawn(server)) {
        System.out.println("server " + child.pid() + ": " + child.await());
      }
    }
    Sock.close(listener);
  }
}
