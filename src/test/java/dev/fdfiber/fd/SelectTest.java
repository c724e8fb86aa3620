package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Opened;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.extension.ExtendWith;

@FdTest
@ExtendWith(LeftBehind.class)
class SelectTest {

  private static ByteBuffer one() {
    return ByteBuffer.allocate(1);
  }

  /** Everything at once: two pipes, a future, a queue and maybe a time. */
  private static final class All implements AutoCloseable {
    final Pipe first = Pipe.open();
    final Pipe second = Pipe.open();
    final CompletableFuture<String> future = new CompletableFuture<>();
    final BlockingQueue<String> queue = new LinkedBlockingQueue<>();
    final Select<String> select =
        new Select<String>()
            .readable(first.readFd(), fd -> "first " + first.reader().read(one()))
            .readable(second.readFd(), fd -> "second " + second.reader().read(one()))
            .completed(future, f -> "future " + f.join())
            .taken(queue, item -> "item " + item);

    All() throws Exception {}

    @Override
    public void close() throws Exception {
      first.close();
      second.close();
    }
  }

  private static void assertNobodyWaits(All all) {
    assertThat(all.future.getNumberOfDependents()).isZero();
    if (Scheduler.inFiber()) {
      assertThat(Scheduler.current().aliveCount()).as("fibers, this one included").isEqualTo(1);
      assertThat(Scheduler.current().anyIoWaiter()).isFalse();
    }
  }

  @EachPlace
  void firstToCome_wins_andNothingIsLeftOfTheOthers(Where where) throws Exception {
    where.run(() -> {
      try (All all = new All()) {
        List<String> got = new ArrayList<>();
        for (Runnable act :
            List.<Runnable>of(
                () -> write(all.second),
                () -> all.queue.add("i"),
                () -> write(all.first),
                () -> all.future.complete("f"))) {
          Where.Beside waiter = Where.start(() -> got.add(all.select.await()));
          act.run();
          waiter.join();
          assertThat(got).hasSize(1);
          assertNobodyWaits(all);
          got.forEach(result -> assertThat(result).isNotNull());
          assertThat(got.removeFirst()).isIn("second 1", "item i", "first 1", "future f");
        }
        assertThat(all.queue).isEmpty();
      }
    });
  }

  private static void write(Pipe pipe) {
    try {
      pipe.writer().write(one());
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @EachPlace
  void timeIsUp_whenNothingComes(Where where) throws Exception {
    where.run(() -> {
      try (All all = new All()) {
        for (Duration time : List.of(Duration.ZERO, Duration.ofMillis(2), Duration.ofSeconds(-1))) {
          assertThat(all.select.after(time, t -> "late").await()).isEqualTo("late");
          assertNobodyWaits(all);
        }
        all.queue.add("i");
        assertThat(all.select.await()).isEqualTo("item i");
        assertThat(new Select<String>().after(Duration.ofNanos(1), t -> "late").await())
            .isEqualTo("late");
      }
    });
  }

  @EachPlace
  void whatIsThereAlready_isTakenInOrder(Where where) throws Exception {
    where.run(() -> {
      try (All all = new All()) {
        write(all.second);
        write(all.first);
        all.queue.add("1");
        all.future.completeExceptionally(new IllegalStateException("failed"));
        assertThatThrownBy(all.select::await).hasRootCauseMessage("failed");
        Select<String> others =
            new Select<String>()
                .readable(all.first.readFd(), fd -> "first " + all.first.reader().read(one()))
                .writable(all.first.writeFd(), fd -> "writable")
                .taken(all.queue, item -> "item " + item);
        assertThat(others.await()).isEqualTo("item 1");
        assertThat(others.await()).isEqualTo("first 1");
        assertThat(others.await()).isEqualTo("writable");
        assertNobodyWaits(all);
      }
    });
  }

  @EachPlace
  void cancelled_losesNoItem_andCanGoOn(Where where) throws Exception {
    where.run(() -> {
      try (All all = new All()) {
        for (int i = 0; i < 20; i++) {
          Where.assertCancellable(all.select::await);
          all.queue.add("after the cancel");
          assertThat(all.select.await()).isEqualTo("item after the cancel");
        }
        assertNobodyWaits(all);
      }
    });
  }

  @EachPlace
  void twoQueuesAtOnce_loseNothing(Where where) throws Exception {
    where.run(() -> {
      BlockingQueue<Integer> a = new LinkedBlockingQueue<>();
      BlockingQueue<Integer> b = new LinkedBlockingQueue<>();
      Select<Integer> select = new Select<Integer>().taken(a, i -> i).taken(b, i -> -i);
      List<Integer> got = new ArrayList<>();
      int many = 200;
      Where.Beside giver =
          Where.start(() -> {
            for (int i = 1; i <= many; i++) {
              a.add(i);
              b.add(i);
              Scheduler.pause(0);
            }
          });
      while (got.size() < 2 * many) {
        got.add(select.await());
      }
      giver.join();
      for (int i = 1; i <= many; i++) {
        assertThat(got).contains(i, -i);
      }
      assertThat(got.stream().filter(i -> i > 0)).isSorted();
    });
  }

  @EachPlace
  void closedDescriptor_isEbadf(Where where) throws Exception {
    where.run(() -> {
      int none = Opened.notOpen();
      CompletableFuture<String> never = new CompletableFuture<>();
      Select<String> select =
          new Select<String>().readable(none, fd -> "no").completed(never, f -> "no");
      assertThatThrownBy(select::await)
          .isInstanceOf(ErrnoException.class)
          .hasMessage("select(fd " + none + "): EBADF (Bad file descriptor)");
      assertThat(never.getNumberOfDependents()).isZero();
    });
  }
}
