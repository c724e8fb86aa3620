package dev.fdfiber.examples.fds;

import dev.fdfiber.Scheduler;
import dev.fdfiber.fd.Command;
import dev.fdfiber.fd.Pty;
import dev.fdfiber.fd.Stdio;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Runs a program on a terminal of its own and records what it shows: FILE PROGRAM [WORD...]. */
public final class Recorder {
  public static void main(String[] args) throws Exception {
    try (Scheduler scheduler = Scheduler.create();
        Stdio stdio = Stdio.open();
        Pty pty = Pty.open();
        var child = pty.spawn(Command.of(Arrays.asList(args).subList(1, args.length)));
        PrintWriter file = new PrintWriter(args[0], StandardCharsets.UTF_8)) {
      var typing = scheduler.spawn(() -> copy(stdio, pty, ByteBuffer.allocate(4096)));
      ByteBuffer shown = ByteBuffer.allocate(4096);
      scheduler.spawn(() -> {
        for (long start = System.nanoTime(); pty.channel().read(shown.clear()) >= 0; ) {
          var text = StandardCharsets.UTF_8.decode(shown.flip().duplicate());
          file.println((System.nanoTime() - start) / 1_000_000 + " ms: " + text);
          stdio.out().write(shown);
        }
        typing.cancel();
      });
      scheduler.run();
      System.out.println(child.await());
    }
  }

  private static void copy(Stdio from, Pty to, ByteBuffer typed) throws Exception {
    while (from.in().read(typed.clear()) >= 0) {
      to.channel().write(typed.flip());
    }
  }
}
