package dev.fdfiber.sock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.ForwardingKernel;
import dev.fdfiber.testing.Listener;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@link Acceptor} by itself, in a single fiber. */
@FdTest
class AcceptorTest {
  private static final class Counting extends ForwardingKernel {
    private int accepts;

    Counting(Kernel next) {
      super(next);
    }

    @Override
    public int accept4(int fd, int flags) {
      accepts++;
      return super.accept4(fd, flags);
    }
  }

  @Test
  void cancelledBetweenTheEndOfItsWaitAndItsTurn_acceptsNothing(
      Scheduler scheduler, Listener listener) throws Exception {
    Counting kernel = new Counting(scheduler.kernel());
    List<Integer> accepted = new ArrayList<>();
    Acceptor acceptor = new Acceptor(kernel, listener.fd(), 10, accepted::add, text -> {});
    Fiber accepting = scheduler.spawn("acceptor", acceptor::run);
    scheduler.runUntilEmpty();
    int client = Sock.connect("127.0.0.1", listener.port());
    scheduler.spawn(
        "stop",
        () -> {
          while (accepting.state() != Fiber.State.READY) {
            Scheduler.pause(0);
          }
          accepting.cancel(); // and whoever cancels closes the listener
        });
    scheduler.run();
    assertThat(accepting.state()).isEqualTo(Fiber.State.DONE);
    assertThat(accepted).isEmpty();
    assertThat(kernel.accepts).isZero();
    Sock.close(client);
  }
}
