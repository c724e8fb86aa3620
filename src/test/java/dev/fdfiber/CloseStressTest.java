package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Opened;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * R16, as a race: each round a fiber waits for a descriptor, another thread makes it ready, and a
 * second fiber closes it and gives its number to a file that is ready too. The first must see its
 * own byte, or that the descriptor was closed, and never the other file.
 */
@FdTest
@Tag("slow")
class CloseStressTest {
  private static final int ROUNDS = 3_000;

  @FunctionalInterface
  private interface Close {
    void close(int fd) throws IOException;
  }

  private int ready;
  private int closed;
  private int strangers;

  private void race(Close close, long seed) throws Exception {
    Random random = new Random(seed);
    LinkedBlockingQueue<Integer> toWrite = new LinkedBlockingQueue<>();
    Thread writer = Thread.ofPlatform().start(() -> writeAll(toWrite));
    try (Scheduler s = Scheduler.create();
        Fds.Pair other = Fds.pipe()) {
      Fds.write(other.b(), "y");
      Fiber rounds =
          s.spawn(() -> {
            for (int i = 0; i < ROUNDS; i++) {
              round(s, close, i % 10 == 0 ? 0 : random.nextInt(20), toWrite, other);
            }
          });
      s.run();
      assertThat(rounds.failure()).isEmpty();
    }
    toWrite.add(-1);
    writer.join();
    assertThat(ready + closed + strangers).isEqualTo(ROUNDS);
  }

  private void round(
      Scheduler s, Close close, int turns, LinkedBlockingQueue<Integer> toWrite, Fds.Pair other)
      throws Exception {
    Fds.Pair pipe = Fds.pipe();
    int writeEnd = Fds.dup(pipe.b());
    Fiber waiter = s.spawn(() -> waits(pipe.a(), other.b()));
    Scheduler.pause(0);
    toWrite.add(writeEnd); // the writer closes it
    // No turns: the byte wins for certain.
    for (int i = 0; turns == 0 ? waiter.isAlive() : i < turns; i++) {
      Scheduler.pause(0);
    }
    close.close(pipe.a());
    assertThat(Opened.dupFrom(pipe.a(), other.a())).isEqualTo(pipe.a());
    waiter.join();
    assertThat(waiter.failure()).isEmpty();
    Fds.close(pipe.a());
    Fds.close(pipe.b());
  }

  private void waits(int fd, int refill) throws IOException, InterruptedException {
    try {
      assertThat(Scheduler.ioWait(fd, READ, -1)).isEqualTo(READ);
    } catch (ClosedChannelException e) {
      closed++;
      return;
    }
    // Nobody else runs between the return and this read.
    String seen = Fds.read(fd);
    if (seen.equals("x")) {
      ready++;
    } else {
      strangers++;
      assertThat(seen).isEqualTo("y");
      Fds.write(refill, "y");
    }
  }

  private static void writeAll(LinkedBlockingQueue<Integer> toWrite) {
    try {
      for (int fd; (fd = toWrite.take()) >= 0; ) {
        Fds.write(fd, "x");
        Fds.close(fd);
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void r16_closeAgainstReadiness_neverShowsTheNextFile() throws Exception {
    long seed = new Random().nextLong();
    System.out.println("CloseStressTest seed " + seed);
    race(Sock::close, seed);
    assertThat(strangers).as("seed %d", seed).isZero();
    assertThat(ready).as("rounds that readiness won").isPositive();
    assertThat(closed).as("rounds that the close won").isPositive();
  }

  @Test
  void aCloseThatTellsNobody_isFound() throws Exception {
    race(Fds::close, 1);
    assertThat(strangers).isPositive();
  }
}
