package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.PollerKind;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.ForwardingKernel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernels that refuse: what that does to a worker, and what it does not do to the others. */
@FdTest
class WorkersFailureTest extends WorkersFixture {
  /** Fails the next calls as often as it is told. */
  private static final class Refusing extends ForwardingKernel {
    private final AtomicInteger accepts = new AtomicInteger();
    private final AtomicInteger acceptCalls = new AtomicInteger();
    private final AtomicInteger polls = new AtomicInteger();
    private volatile int errno;

    Refusing() {
      super(Kernel.system());
    }

    private static boolean refuses(AtomicInteger left) {
      return left.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
    }

    void refuseAccepts(int count, int why) {
      errno = why;
      accepts.set(count);
    }

    void refusePolls(int count, int why) {
      errno = why;
      polls.set(count);
    }

    @Override
    public int accept4(int fd, int flags) {
      acceptCalls.incrementAndGet();
      return refuses(accepts) ? -errno : super.accept4(fd, flags);
    }

    @Override
    public int ppoll(MemorySegment pollFds, int count, long timeoutNanos) {
      return refuses(polls) ? -errno : super.ppoll(pollFds, count, timeoutNanos);
    }
  }

  private Workers started(int count, Refusing first, boolean restart) throws IOException {
    return started(
        builder(count)
            .restart(restart)
            .scheduler((scheduler, i) ->
                scheduler.kernel(i == 0 ? first : Kernel.system()).poller(PollerKind.POLL)));
  }

  @ParameterizedTest
  @ValueSource(ints = {Errno.EMFILE, Errno.ENFILE, Errno.ENOBUFS, Errno.ENOMEM})
  @Tag("slow")
  void acceptWithoutResources_pausesInsteadOfSpinning_andTellsOnce(int errno) throws Exception {
    Refusing kernel = new Refusing();
    kernel.refuseAccepts(3, errno);
    try (Workers workers = started(1, kernel, true)) {
      long start = System.nanoTime();
      try (TextClient client = new TextClient(workers.port())) {
        assertThat(client.ask("x")).isEqualTo("echo x"); // it waited in the queue
      }
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(300_000_000);
      assertThat(kernel.acceptCalls.get()).isLessThanOrEqualTo(8);
    }
    assertThat(log)
        .singleElement()
        .asString()
        .matches(
            "cannot accept for now, and tries again: accept\\(fd \\d+\\): "
                + Errno.name(errno)
                + " \\(.*\\)");
  }

  @Test
  void acceptWithoutResources_asAStopComes_doesNotDelayIt() throws Exception {
    Refusing kernel = new Refusing();
    kernel.refuseAccepts(Integer.MAX_VALUE, Errno.EMFILE);
    try (Workers workers = started(1, kernel, true);
        TextClient client = new TextClient(workers.port())) {
      assertThat(log.poll(60, TimeUnit.SECONDS)).contains("EMFILE");
      workers.close();
      assertThatThrownBy(client::receive).isInstanceOf(IOException.class); // reset
    }
    assertThat(log).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {Errno.ECONNABORTED, Errno.EINTR, Errno.EPROTO, Errno.ENETDOWN})
  void acceptOfAConnectionThatIsGone_takesTheNext(int errno) throws Exception {
    Refusing kernel = new Refusing();
    kernel.refuseAccepts(100, errno);
    try (Workers workers = started(1, kernel, true);
        TextClient client = new TextClient(workers.port())) {
      assertThat(client.ask("x")).isEqualTo("echo x");
    }
    assertThat(log).isEmpty();
  }

  @Test
  void workerWhoseLoopFails_isReported_startsAgain_andLosesNoOthersConnection() throws Exception {
    Refusing kernel = new Refusing();
    try (Workers workers = started(2, kernel, true)) {
      try (TextClient zero = clientOf(workers, 0);
          TextClient one = clientOf(workers, 1)) {
        // In a fiber of its own, so that the poll after that fails. Bytes sent to it could be
        // unread
        // when it fails: the end would be a reset.
        workers.schedulers().getFirst().spawn(() -> kernel.refusePolls(1, Errno.ENOMEM));
        assertThat(zero.receive()).isNull();
        assertThat(log.poll(60, TimeUnit.SECONDS))
            .startsWith("test-1 failed, and starts again: ")
            .contains("ENOMEM");
        assertThat(one.ask("y")).isEqualTo("echo y");
        clientOf(workers, 0).close();
      }
      assertThat(workers.failure()).isEmpty();
    }
    assertThat(log).isEmpty();
  }

  @Test
  @Tag("slow")
  void workerThatFailsAgainAndAgain_rests_andTheKernelAsksTheOthers() throws Exception {
    Refusing kernel = new Refusing();
    kernel.refusePolls(4, Errno.ENOMEM);
    try (Workers workers = started(2, kernel, true)) {
      for (int i = 0; i < 4; i++) {
        assertThat(log.poll(60, TimeUnit.SECONDS)).startsWith("test-1 failed, and starts again: ");
      }
      // It rests, and does not listen.
      for (int i = 0; i < 5; i++) {
        try (TextClient client = new TextClient(workers.port())) {
          assertThat(client.ask("x")).isEqualTo("echo x");
        }
      }
      clientOf(workers, 0).close(); // back again
    }
  }

  @Test
  void workerThatIsNotToStartAgain_leavesTheOthersItsShare() throws Exception {
    Refusing kernel = new Refusing();
    kernel.refusePolls(1, Errno.ENOMEM);
    try (Workers workers = started(2, kernel, false)) {
      assertThat(log.poll(60, TimeUnit.SECONDS))
          .startsWith("test-1 failed, and accepts no more: ")
          .contains("ENOMEM");
      for (int i = 0; i < 50; i++) {
        try (TextClient client = new TextClient(workers.port())) {
          assertThat(client.ask("who")).isEqualTo("test-2 1");
        }
      }
    }
  }

  @Test
  void workersThatAllFailed_endTheGroup_whichTellsWhy() throws Exception {
    Refusing kernel = new Refusing();
    kernel.refusePolls(1, Errno.ENOMEM);
    try (Workers workers = started(1, kernel, false)) {
      workers.awaitEnd();
      assertThat(workers.failure()).get().asString().contains("ENOMEM");
      assertThat(workers.isStopping()).isFalse();
      assertThatThrownBy(() -> new TextClient(workers.port())).isInstanceOf(IOException.class);
    }
  }

  @Test
  void listenerThatBroke_isAFailureOfItsWorker_whichMakesAnother() throws Exception {
    Refusing kernel = new Refusing();
    kernel.refuseAccepts(2, Errno.EINVAL);
    try (Workers workers = started(1, kernel, true)) {
      try (TextClient client = new TextClient(workers.port())) {
        assertThat(log.poll(60, TimeUnit.SECONDS)).contains("accept(fd ", "EINVAL");
        assertThat(log.poll(60, TimeUnit.SECONDS)).contains("accept(fd ", "EINVAL");
        assertThat(resetOrEnd(client)).isTrue(); // the socket whose queue it was in is closed
      }
      try (TextClient next = clientOf(workers, 0)) {
        assertThat(next.ask("x")).isEqualTo("echo x");
      }
    }
  }

  @Test
  void hookThatThrows_isAFailureOfTheWorker() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    Workers.Builder builder =
        builder(1)
            .onWorkerStart((scheduler, i) -> {
              if (calls.incrementAndGet() == 1) {
                throw new IllegalArgumentException("thrown by the hook");
              }
            });
    try (Workers workers = builder.build()) {
      workers.start();
      try (TextClient client = new TextClient(workers.port())) {
        assertThat(client.ask("x")).isEqualTo("echo x");
      }
      assertThat(log).singleElement().asString().contains("thrown by the hook");
    }
  }

  @Test
  void handlerThatStopsItsScheduler_stopsNobody() throws Exception {
    Queue<String> seen = new LinkedBlockingQueue<>();
    Workers.Handler stops =
        c -> {
          c.scheduler().stop();
          seen.add("stopped");
          lines.handle(c);
        };
    try (Workers workers = Workers.builder().name("test").count(1).handler(stops).build()) {
      workers.start();
      try (TextClient client = new TextClient(workers.port())) {
        assertThat(client.ask("x")).isEqualTo("echo x");
      }
    }
    assertThat(seen).containsExactly("stopped");
  }

  /** A connection that a certain worker serves; tries until it has one. */
  private static TextClient clientOf(Workers workers, int index) throws IOException {
    long start = System.nanoTime();
    while (System.nanoTime() - start < Duration.ofSeconds(50).toNanos()) {
      try {
        TextClient client = new TextClient(workers.port());
        if (isServedBy(client, index)) {
          return client;
        }
        client.close();
      } catch (IOException e) {
        // nobody listens between two listening sockets
      }
    }
    throw new AssertionError("worker " + index + " serves nobody");
  }

  private static boolean isServedBy(TextClient client, int index) {
    try {
      String who = client.ask("who");
      return who != null && who.endsWith(" " + index);
    } catch (IOException e) {
      return false; // its listening socket was closed, and with it what waited there
    }
  }

  private static boolean resetOrEnd(TextClient client) {
    try {
      return client.receive() == null;
    } catch (IOException e) {
      return true;
    }
  }
}
