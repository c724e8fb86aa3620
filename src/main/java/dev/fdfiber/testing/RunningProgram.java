package dev.fdfiber.testing;

import dev.fdfiber.fd.PidFd;
import java.io.IOException;

/** A program that is killed and waited for when the test is over. */
record RunningProgram(PidFd process) implements AutoCloseable {
  @Override
  public void close() throws IOException {
    try (process) {
      process.kill();
      process.await();
    }
  }
}
