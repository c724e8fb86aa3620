package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;

/** What the tests of workers share: what they serve, what they log, and that no thread is left. */
abstract class WorkersFixture {
  final LineHandler lines = new LineHandler();
  final LinkedBlockingQueue<String> log = new LinkedBlockingQueue<>();

  Workers.Builder builder(int count) {
    return Workers.builder().name("test").count(count).handler(lines).log(log::add);
  }

  static Workers started(Workers.Builder builder) throws IOException {
    Workers workers = builder.build();
    workers.start();
    return workers;
  }

  @AfterEach
  void noThreadIsLeft() {
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .noneMatch(name -> name.startsWith("test-"));
  }
}
