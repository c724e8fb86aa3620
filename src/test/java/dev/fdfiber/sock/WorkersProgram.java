package dev.fdfiber.sock;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** Workers as a program of their own: prints the port, serves lines, ends at a signal. */
final class WorkersProgram {
  private WorkersProgram() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    Workers.Builder builder =
        Workers.builder()
            .name("test")
            .count(2)
            .handler(new LineHandler())
            .grace(Duration.ofSeconds(1000))
            .log(System.err::println)
            .stopOnSignals()
            .systemdNames(args);
    try (Workers workers = builder.build()) {
      workers.start();
      System.out.println("port " + workers.port());
      workers.awaitEnd();
    }
    System.out.println("ended");
    if (List.of(args).contains("wait")) {
      Thread.sleep(Duration.ofSeconds(1000)); // for a signal that is nobody's any more
    }
  }
}
