package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fdfiber.ErrnoException;
import dev.fdfiber.Fiber;
import dev.fdfiber.FiberBody;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Errno;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Opened;
import dev.fdfiber.testing.Place;
import dev.fdfiber.testing.SocketPair;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What the ancestor's helpers got wrong and no other class names: interruptions, blocking, flags.
 */
@FdTest
class SockDefectsTest {
  /** Every read and write is interrupted once before it does anything. */
  private static final class Interrupting extends ForwardingKernel {
    private boolean next = true;
    int interruptions;

    Interrupting() {
      super(Kernel.system());
    }

    private boolean interrupts() {
      boolean now = next;
      next = !now;
      interruptions += now ? 1 : 0;
      return now;
    }

    @Override
    public long recv(int fd, MemorySegment buffer, long count, int flags) {
      return interrupts() ? -Errno.EINTR : super.recv(fd, buffer, count, flags);
    }

    @Override
    public long send(int fd, MemorySegment buffer, long count, int flags) {
      return interrupts() ? -Errno.EINTR : super.send(fd, buffer, count, flags);
    }
  }

  @Test
  void defect23_anInterruption_isNeitherAnErrorNorAnEnd(SocketPair pair) throws Exception {
    Interrupting kernel = new Interrupting();
    try (Scheduler s = Scheduler.builder().kernel(kernel).build()) {
      Place.in(
          s,
          () -> {
            Sock.writeStr(pair.a(), "some");
            assertThat(text(Sock.recvSome(pair.b(), 0))).isEqualTo("some");
            assertThat(Sock.ioStatus(pair.b())).isEqualTo(IoStatus.OK);
            Sock.writeStr(pair.a(), "all");
            Sock.shutdownWrite(pair.a());
            assertThat(text(Sock.recvAll(pair.b(), 0))).isEqualTo("all");
          });
      assertThat(kernel.interruptions).isGreaterThan(3);
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void defect23_aFailure_keepsItsErrno(Place place) throws Exception {
    place.run(() -> {
      int fd = Opened.notOpen();
      ErrnoException read = catchThrowableOfType(ErrnoException.class, () -> Sock.recvSome(fd, 0));
      assertThat(read.errno()).isEqualTo(Errno.EBADF);
      Fds.Pair pair = Fds.socketPair();
      Fds.close(pair.a());
      ErrnoException write =
          catchThrowableOfType(ErrnoException.class, () -> Sock.writeStr(pair.b(), "x"));
      assertThat(write.errno()).isEqualTo(Errno.EPIPE);
      Fds.close(pair.b());
    });
  }

  @Test
  void defect24_whatBlockedTheProcess_parksItsFiberAlone() throws Exception {
    int listener = Sock.listen(0, false);
    int port = Sock.localPort(listener);
    List<FiberBody> calls =
        List.of(
            () -> Sock.sleepMs(20),
            () -> Sock.shellCapture("sleep 0.02", 0),
            () -> Sock.close(Sock.connect("localhost", port)));
    for (FiberBody call : calls) {
      List<String> order = new ArrayList<>();
      try (Scheduler s = Scheduler.create()) {
        Fiber caller =
            s.spawn(() -> {
              call.run();
              order.add("call");
            });
        s.spawn(() -> order.add("other"));
        s.run();
        Place.rethrow(caller);
      }
      assertThat(order).containsExactly("other", "call");
    }
    Sock.close(listener);
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void defect25_everyDescriptorClosesOnExec(Place place) throws Exception {
    place.run(() -> {
      int listener = Sock.listen(0, false);
      int client = Sock.connect("127.0.0.1", Sock.localPort(listener));
      int server = Sock.accept(listener);
      int other = Sock.connect("127.0.0.1", Sock.localPort(listener));
      int pending = Sock.acceptNb(listener);
      for (int fd : new int[] {listener, client, server, other, pending}) {
        assertThat(Opened.isCloseOnExec(fd)).isTrue();
        Sock.close(fd);
      }
    });
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
