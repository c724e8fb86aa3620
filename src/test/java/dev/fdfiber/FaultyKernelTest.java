package dev.fdfiber;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.sock.Sock;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Pipe;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A kernel that interrupts calls and cuts transfers short, as a real one may: no byte is lost. */
@FdTest
class FaultyKernelTest {
  /** Every second call, by a seed, is EINTR, and every transfer is cut at random. */
  private static final class Faulty extends ForwardingKernel {
    private final Random random;
    private int faults;

    Faulty(long seed) {
      super(Kernel.system());
      random = new Random(seed);
    }

    /** Called by the driver and by fibers on it: one at a time. */
    private boolean interrupts() {
      boolean now = random.nextBoolean();
      faults += now ? 1 : 0;
      return now;
    }

    private long cut(long count) {
      return count <= 1 ? count : 1 + random.nextLong(count);
    }

    @Override
    protected int look(long timeoutNanos, Look next) {
      return interrupts() ? -Errno.EINTR : super.look(timeoutNanos, next);
    }

    @Override
    public long read(int fd, MemorySegment buffer, long count) {
      return interrupts() ? -Errno.EINTR : super.read(fd, buffer, count == 8 ? 8 : cut(count));
    }

    @Override
    public long write(int fd, MemorySegment buffer, long count) {
      return interrupts() ? -Errno.EINTR : super.write(fd, buffer, count == 8 ? 8 : cut(count));
    }

    @Override
    public long send(int fd, MemorySegment buffer, long count, int flags) {
      return interrupts() ? -Errno.EINTR : super.send(fd, buffer, cut(count), flags);
    }

    @Override
    public long recv(int fd, MemorySegment buffer, long count, int flags) {
      return interrupts() ? -Errno.EINTR : super.recv(fd, buffer, cut(count), flags);
    }

    @Override
    public int accept4(int fd, int flags) {
      return interrupts() ? -Errno.EINTR : super.accept4(fd, flags);
    }
  }

  private static final int SIZE = 300_000;

  private static byte[] data(long seed) {
    byte[] data = new byte[SIZE];
    new Random(seed).nextBytes(data);
    return data;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void interruptedAndShortTransfers_throughChannels_loseNothing(boolean sockets) {
    long seed = 42;
    byte[] data = data(seed);
    ByteBuffer got = ByteBuffer.allocate(SIZE + 1);
    Faulty kernel = new Faulty(seed);
    try (Scheduler s = Scheduler.builder().kernel(kernel).build();
        Fds.Pair pair = sockets ? Fds.blockingSocketPair() : Fds.blockingPipe()) {
      Fiber writer =
          s.spawn(() -> {
            try (FdChannel out = FdChannel.borrow(pair.b())) {
              assertThat(out.write(ByteBuffer.wrap(data))).isEqualTo(SIZE);
            }
            Sock.close(pair.b());
          });
      Fiber reader =
          s.spawn(() -> {
            try (FdChannel in = FdChannel.own(pair.a())) {
              while (in.read(got) >= 0) {
                Scheduler.pause(0);
              }
            }
          });
      s.run();
      assertThat(writer.failure()).isEmpty();
      assertThat(reader.failure()).isEmpty();
      assertThat(got.flip()).isEqualTo(ByteBuffer.wrap(data));
      assertThat(kernel.faults).isPositive();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void interruptedAndShortTransfers_throughSock_loseNothing(boolean sockets) {
    long seed = 43;
    byte[] data = data(seed);
    byte[][] got = new byte[1][];
    try (Scheduler s = Scheduler.builder().kernel(new Faulty(seed)).build();
        Fds.Pair pair = sockets ? Fds.socketPair() : Fds.blockingPipe()) {
      Fiber writer =
          s.spawn(() -> {
            Sock.writeBytes(pair.b(), data, data.length);
            Sock.close(pair.b());
          });
      Fiber reader = s.spawn(() -> got[0] = Sock.recvAll(pair.a(), 0));
      s.run();
      assertThat(writer.failure()).isEmpty();
      assertThat(reader.failure()).isEmpty();
      assertThat(got[0]).isEqualTo(data);
    }
  }

  @Test
  void interruptedAccept_losesNoConnection() throws Exception {
    int listener = Sock.listen(0, false);
    int port = Sock.localPort(listener);
    int[] accepted = new int[1];
    try (Scheduler s = Scheduler.builder().kernel(new Faulty(44)).build()) {
      for (int i = 0; i < 20; i++) {
        s.spawn(() -> {
          int client = Sock.connect("127.0.0.1", port);
          assertThat(Sock.recvSome(client, 0)).isEmpty();
          Sock.close(client);
        });
      }
      s.spawn(() -> {
        while (accepted[0] < 20) {
          Sock.close(Sock.accept(listener));
          accepted[0]++;
        }
      });
      s.run();
    }
    assertThat(accepted[0]).isEqualTo(20);
    Sock.close(listener);
  }

  @Test
  void interruptedPolls_endNoWaitEarlyAndMissNoReadiness(Pipe pipe, Pipe full) {
    try (Scheduler s = Scheduler.builder().kernel(new Faulty(45)).build()) {
      Fds.write(full.writeFd(), "x");
      Fiber fiber =
          s.spawn(() -> {
            for (int i = 0; i < 100; i++) {
              assertThat(Scheduler.ioWait(full.readFd(), Scheduler.READ, 0)).isOne();
              long start = System.nanoTime();
              assertThat(Scheduler.ioWait(pipe.readFd(), Scheduler.READ, 0.000_01)).isZero();
              assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(10_000);
            }
          });
      s.run();
      assertThat(fiber.failure()).isEmpty();
    }
  }

  @Test
  void interruptedAcceptNb_onABlockingListener_seesTheConnection() throws Exception {
    int listener = Sock.listen(0, false);
    int flags = Fds.flags(listener) & ~Linux.O_NONBLOCK;
    assertThat(Kernel.system().fcntl(listener, Linux.F_SETFL, flags)).isZero();
    try (Scheduler s = Scheduler.builder().kernel(new Faulty(46)).build()) {
      Fiber fiber =
          s.spawn(() -> {
            for (int i = 0; i < 20; i++) {
              int client = Sock.connect("127.0.0.1", Sock.localPort(listener));
              Scheduler.ioWait(listener, Scheduler.READ, -1); // the kernel connects in its own time
              int server = Sock.acceptNb(listener);
              assertThat(server).isNotNegative();
              Sock.close(server);
              Sock.close(client);
            }
          });
      s.run();
      assertThat(fiber.failure()).isEmpty();
    }
    Sock.close(listener);
  }

  @Test
  void connectInterrupted_goesOnInTheBackground() throws Exception {
    int listener = Sock.listen(0, false);
    Kernel kernel =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public int connect(int fd, MemorySegment address, int length) {
            super.connect(fd, address, length);
            return -Errno.EINTR;
          }
        };
    try (Scheduler s = Scheduler.builder().kernel(kernel).build()) {
      Fiber fiber =
          s.spawn(() -> {
            int client = Sock.connect("127.0.0.1", Sock.localPort(listener));
            int server = Sock.accept(listener);
            Sock.writeStr(client, "x");
            assertThat(Sock.recvSome(server, 0)).hasSize(1);
            Sock.close(client);
            Sock.close(server);
          });
      s.run();
      assertThat(fiber.failure()).isEmpty();
    }
    Sock.close(listener);
  }

  @Test
  void kernelWithoutMemory_isAnErrorOfThatCallAlone(Pipe pipe) {
    Kernel kernel =
        new ForwardingKernel(Kernel.system()) {
          @Override
          public long read(int fd, MemorySegment buffer, long count) {
            return count == 1 ? -Errno.ENOMEM : super.read(fd, buffer, count);
          }
        };
    try (Scheduler s = Scheduler.builder().kernel(kernel).onUncaught((f, t) -> {}).build()) {
      Fds.write(pipe.writeFd(), "x");
      Fiber fiber = s.spawn(() -> FdChannel.borrow(pipe.readFd()).read(ByteBuffer.allocate(1)));
      Fiber other = s.spawn(() -> Scheduler.pause(0));
      s.run();
      assertThat(fiber.failure())
          .get()
          .asString()
          .contains("read(fd " + pipe.readFd() + "): ENOMEM (Cannot allocate memory)");
      assertThat(other.failure()).isEmpty();
    }
  }
}
