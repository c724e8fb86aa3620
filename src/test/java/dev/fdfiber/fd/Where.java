package dev.fdfiber.fd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.Fiber;
import dev.fdfiber.FiberBody;
import dev.fdfiber.PollerKind;
import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.Place;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;

/** Where a test runs: in a fiber on one of the pollers, or outside a fiber, {@code poller} null. */
record Where(PollerKind poller) {

  /** What runs beside the test: another fiber, or another thread. */
  interface Beside {
    /** Waits for its end, and throws what it threw. */
    void join() throws Exception;

    /** Interrupts it. */
    void cancel();
  }

  static List<Where> all() {
    List<Where> all = new ArrayList<>();
    all.add(new Where(null));
    for (PollerKind poller : PollerKind.values()) {
      all.add(new Where(poller));
    }
    return all;
  }

  /** Runs the body to its end, and throws what it throws. */
  void run(FiberBody body) throws Exception {
    if (poller == null) {
      body.run();
      return;
    }
    try (Scheduler s = scheduler()) {
      Place.in(s, body);
    }
  }

  Scheduler scheduler() {
    return Scheduler.builder().poller(poller).onUncaught((fiber, t) -> {}).build();
  }

  boolean isFiber() {
    return poller != null;
  }

  /** Starts something; a fiber gets as far as it can before this returns. */
  static Beside start(FiberBody body) throws Exception {
    if (Scheduler.inFiber()) {
      Fiber fiber = Scheduler.current().spawn("beside", body);
      Scheduler.pause(0);
      Scheduler.pause(0);
      return new Beside() {
        @Override
        public void join() throws Exception {
          fiber.join();
          Place.rethrow(fiber);
        }

        @Override
        public void cancel() {
          fiber.cancel();
        }
      };
    }
    Elsewhere<Void> thread = Elsewhere.begin(body::run);
    return new Beside() {
      @Override
      public void join() throws Exception {
        thread.result();
      }

      @Override
      public void cancel() {
        thread.thread().interrupt();
      }
    };
  }

  /** A wait ends when it is cancelled, by InterruptedIOException and with the status set. */
  static void assertCancellable(FiberBody wait) throws Exception {
    List<Boolean> status = new ArrayList<>();
    Beside waiter =
        start(() -> {
          try {
            wait.run();
          } finally {
            status.add(Thread.currentThread().isInterrupted());
          }
        });
    waiter.cancel();
    assertThatThrownBy(waiter::join).isInstanceOf(InterruptedIOException.class);
    assertThat(status).containsExactly(true);
  }

  /** A wait of another fiber ends when its object is closed, by ClosedChannelException. */
  static void assertWokenByClose(FiberBody wait, AutoCloseable object) throws Exception {
    if (!Scheduler.inFiber()) {
      object.close(); // the wait of another thread would end by the next sweep
      assertThatThrownBy(wait::run).isInstanceOf(ClosedChannelException.class);
      return;
    }
    Beside waiter = start(wait);
    object.close();
    assertThatThrownBy(waiter::join).isInstanceOf(ClosedChannelException.class);
    object.close();
    assertThatThrownBy(wait::run).isInstanceOf(ClosedChannelException.class);
  }
}
