package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.testing.Elsewhere;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.ForwardingKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * R9's last sentence: a wake-up never touches a descriptor that close has released. Each check is
 * made of the waker and of a copy without its counter, which must not pass.
 */
@FdTest
class WakerTest {

  /** What is checked: the waker, or the broken copy. */
  private interface Subject {
    int open() throws Exception;

    void fallAsleep();

    void signal();

    /** If a signal would be refused. */
    boolean refuses();

    void close();
  }

  private static Subject right(Kernel kernel) {
    Waker waker = new Waker(kernel);
    return new Subject() {
      @Override
      public int open() throws Exception {
        return waker.open();
      }

      @Override
      public void fallAsleep() {
        waker.fallAsleep();
      }

      @Override
      public void signal() {
        waker.signal();
      }

      @Override
      public boolean refuses() {
        if (waker.enter()) {
          waker.exit();
          return false;
        }
        return true;
      }

      @Override
      public void close() {
        waker.close();
      }
    };
  }

  /** The waker without its counter: refuses newcomers, but does not wait for those inside. */
  private static Subject broken(Kernel kernel) {
    return new Subject() {
      private volatile int fd = -1;
      private volatile boolean asleep;
      private volatile boolean closed;

      @Override
      public int open() {
        fd = kernel.eventfd(0, Linux.EFD_CLOEXEC | Linux.EFD_NONBLOCK);
        return fd;
      }

      @Override
      public void fallAsleep() {
        asleep = true;
      }

      @Override
      public void signal() {
        if (!closed && asleep) {
          try (Arena arena = Arena.ofConfined()) {
            kernel.write(fd, arena.allocateFrom(ValueLayout.JAVA_LONG, 1), Long.BYTES);
          }
        }
      }

      @Override
      public boolean refuses() {
        return closed;
      }

      @Override
      public void close() {
        closed = true;
        kernel.close(fd);
      }
    };
  }

  // ---- a write that is held while close runs

  /** Holds the first write until it is let go; knows if a descriptor was closed meanwhile. */
  private static final class HoldingKernel extends ForwardingKernel {
    final CountDownLatch writing = new CountDownLatch(1);
    final CountDownLatch letGo = new CountDownLatch(1);
    final List<String> events = new ArrayList<>();

    HoldingKernel() {
      super(Kernel.system());
    }

    synchronized void note(String event) {
      events.add(event);
    }

    @Override
    public long write(int fd, MemorySegment buffer, long count) {
      note("write begins");
      writing.countDown();
      try {
        letGo.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      long written = super.write(fd, buffer, count);
      note("write ends");
      return written;
    }

    @Override
    public int close(int fd) {
      note("close");
      return super.close(fd);
    }
  }

  private static List<String> closeDuringAWrite(Function<Kernel, Subject> make, boolean waits)
      throws Exception {
    HoldingKernel kernel = new HoldingKernel();
    Subject subject = make.apply(kernel);
    subject.open();
    subject.fallAsleep();
    Elsewhere<Void> signaller = Elsewhere.begin(subject::signal);
    kernel.writing.await();
    Elsewhere<Void> closer = Elsewhere.begin(subject::close);
    while (!subject.refuses()) {
      Thread.onSpinWait();
    }
    if (waits) {
      closer.thread().join(Duration.ofMillis(50)); // it has all the time to do wrong
    } else {
      closer.result();
    }
    kernel.letGo.countDown();
    signaller.result();
    closer.result();
    return kernel.events;
  }

  @Test
  void r9_close_waitsForTheSignalInFlight() throws Exception {
    assertThat(closeDuringAWrite(WakerTest::right, true))
        .containsExactly("write begins", "write ends", "close");
  }

  @Test
  void r9_close_withoutTheCounter_isDetected() throws Exception {
    assertThat(closeDuringAWrite(WakerTest::broken, false))
        .containsExactly("write begins", "close", "write ends");
  }

  // ---- random

  /** Counts the writes to a descriptor that is, or meanwhile gets, closed. */
  private static final class CountingKernel extends ForwardingKernel {
    final AtomicInteger late = new AtomicInteger();
    volatile boolean open;

    CountingKernel() {
      super(Kernel.system());
    }

    @Override
    public int eventfd(int initialValue, int flags) {
      open = true;
      return super.eventfd(initialValue, flags);
    }

    @Override
    public long write(int fd, MemorySegment buffer, long count) {
      for (int i = 0; i < 20; i++) {
        Thread.onSpinWait();
      }
      // Does not write: in the broken version the number may be anybody's.
      if (!open) {
        late.incrementAndGet();
      }
      return Long.BYTES;
    }

    @Override
    public int close(int fd) {
      open = false;
      return super.close(fd);
    }
  }

  /** Two threads signal while one closes; returns how many signals came too late. */
  private static int race(Function<Kernel, Subject> make, int rounds, boolean untilFirst)
      throws Exception {
    long seed = System.nanoTime();
    System.out.println("WakerTest.race seed " + seed);
    Random random = new Random(seed);
    int late = 0;
    for (int round = 0; round < rounds && !(untilFirst && late > 0); round++) {
      CountingKernel kernel = new CountingKernel();
      Subject subject = make.apply(kernel);
      subject.open();
      CyclicBarrier barrier = new CyclicBarrier(2);
      int spins = random.nextInt(200);
      Elsewhere<Void> signaller =
          Elsewhere.begin(() -> {
            barrier.await();
            while (!subject.refuses()) {
              subject.fallAsleep();
              subject.signal();
            }
            subject.signal();
          });
      barrier.await();
      for (int i = 0; i < spins; i++) {
        Thread.onSpinWait();
      }
      subject.close();
      signaller.result();
      late += kernel.late.get();
    }
    return late;
  }

  @Test
  @Tag("slow")
  void r9_close_againstSignals_noneTouchesAClosedDescriptor() throws Exception {
    assertThat(race(WakerTest::right, 500, false)).isZero();
  }

  @Test
  @Tag("slow")
  void r9_close_againstSignals_withoutTheCounter_isDetected() throws Exception {
    assertThat(race(WakerTest::broken, 20_000, true)).isPositive();
  }

  // ---- the rest of the protocol

  @Test
  void signal_toOneThatIsAwake_isNoSystemCall() throws Exception {
    AtomicInteger writes = new AtomicInteger();
    Kernel kernel =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public long write(int fd, MemorySegment buffer, long count) {
            writes.incrementAndGet();
            return super.write(fd, buffer, count);
          }
        };
    try (Waker waker = new Waker(kernel)) {
      waker.open();
      waker.signal();
      assertThat(writes).hasValue(0);
      waker.fallAsleep();
      for (int i = 0; i < 10; i++) {
        waker.signal(); // a burst is one
      }
      assertThat(writes).hasValue(1);
    }
  }

  @Test
  void close_twice_closesOnce_andSignalsAfterItDoNothing() throws Exception {
    AtomicInteger closes = new AtomicInteger();
    Kernel kernel =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public int close(int fd) {
            closes.incrementAndGet();
            return super.close(fd);
          }

          @Override
          public long write(int fd, MemorySegment buffer, long count) {
            throw new AssertionError("a write to fd " + fd);
          }
        };
    Waker waker = new Waker(kernel);
    waker.open();
    waker.fallAsleep();
    waker.close();
    waker.close();
    waker.signal();
    assertThat(waker.enter()).isFalse();
    assertThat(closes).hasValue(1);
  }

  @Test
  void close_ofOneThatNeverOpened_makesNoSystemCall() {
    Kernel kernel =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public int close(int fd) {
            throw new AssertionError("close of fd " + fd);
          }
        };
    new Waker(kernel).close();
  }
}
