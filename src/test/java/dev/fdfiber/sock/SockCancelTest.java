package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fdfiber.Fiber;
import dev.fdfiber.FiberBody;
import dev.fdfiber.Scheduler;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

/** R20 for Sock: a cancelled call tells how far it got, keeps the status and closes nothing. */
@FdTest
class SockCancelTest {
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void r20_cancelDuringAccept_leavesTheListenerOpen(boolean blocking, Scheduler s)
      throws Exception {
    int listener = SockConnectTest.listener(blocking);
    Fiber accepts =
        s.spawn(() -> {
          InterruptedIOException e =
              catchThrowableOfType(InterruptedIOException.class, () -> Sock.accept(listener));
          assertThat(e.bytesTransferred).isZero();
          assertThat(Thread.currentThread().isInterrupted()).isTrue();
        });
    s.runUntilEmpty();
    accepts.cancel();
    s.run();
    assertThat(accepts.failure()).isEmpty();
    assertThat(Fds.isOpen(listener)).isTrue();
    Sock.close(listener);
  }

  @Test
  void r20_cancelDuringConnect_leavesNoDescriptor(Scheduler s) throws Exception {
    // A listener whose queue is full lets nobody in, and answers nothing.
    int listener = Sock.listen("127.0.0.1", 0, false, 0);
    int port = Sock.localPort(listener);
    List<Integer> queued = new ArrayList<>();
    Fiber connects = null;
    for (int i = 0; i < 20 && (connects == null || !connects.isAlive()); i++) {
      connects = s.spawn(() -> queued.add(Sock.connect("127.0.0.1", port)));
      s.runUntilEmpty();
    }
    Assumptions.assumeTrue(connects.isAlive(), "the listener's queue has no end");
    connects.cancel();
    s.run();
    assertThat(connects.failure()).get().isInstanceOf(InterruptedIOException.class);
    for (int fd : queued) {
      Sock.close(fd);
    }
    Sock.close(listener);
  }

  @ParameterizedTest
  @EnumSource(value = SockBytesTest.Kind.class, mode = Mode.EXCLUDE, names = "TLS") // see TlsTest
  void r20_cancelDuringWrite_tellsHowMuchWasDone(SockBytesTest.Kind kind, Scheduler s) {
    byte[] data = new byte[32 << 20];
    int[] counts = new int[2];
    try (Fds.Pair pair = kind.open()) {
      Fiber writer =
          cancelledIn(
              s,
              () ->
                  counts[0] =
                      catchThrowableOfType(
                              InterruptedIOException.class,
                              () -> Sock.writeBytes(pair.b(), data, data.length))
                          .bytesTransferred);
      assertThat(writer.failure()).isEmpty();
      assertThat(counts[0]).isPositive().isLessThan(data.length);
      assertThat(Fds.isOpen(pair.b())).isTrue();
      s.spawn(() -> {
        Sock.close(pair.b());
        counts[1] = Sock.recvAll(pair.a(), 0).length;
      });
      s.run();
      assertThat(counts[1]).isEqualTo(counts[0]);
    }
  }

  @ParameterizedTest
  @EnumSource(SockBytesTest.Kind.class)
  void r20_cancelDuringRecvAll_tellsHowMuchWasDone(SockBytesTest.Kind kind, Scheduler s)
      throws Exception {
    int[] counts = new int[1];
    try (Fds.Pair pair = kind.open()) {
      Sock.writeStr(pair.b(), "12345");
      Fiber reader =
          cancelledIn(
              s,
              () ->
                  counts[0] =
                      catchThrowableOfType(
                              InterruptedIOException.class, () -> Sock.recvAll(pair.a(), 0))
                          .bytesTransferred);
      assertThat(reader.failure()).isEmpty();
      assertThat(counts[0]).isEqualTo(5);
      assertThat(Fds.isOpen(pair.a())).isTrue();
      assertThat(s.anyIoWaiter()).isFalse();
    }
  }

  /** A fiber that is cancelled where the body parks; it must keep its status. */
  private static Fiber cancelledIn(Scheduler s, FiberBody body) {
    Fiber fiber =
        s.spawn(() -> {
          body.run();
          assertThat(Thread.currentThread().isInterrupted()).isTrue();
        });
    s.runUntilEmpty();
    assertThat(fiber.isAlive()).isTrue();
    fiber.cancel();
    s.runUntilEmpty();
    return fiber;
  }
}
