package dev.fdfiber.examples;

import dev.fdfiber.Fiber;
import dev.fdfiber.Scheduler;
import java.awt.EventQueue;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.time.Duration;
import java.util.OptionalLong;

/**
 * Fibers on the event thread of Swing, so that no event is handled while one runs. That thread
 * cannot wait for a descriptor, and neither can an NIO selector, such as Netty's: so a small thread
 * waits for the scheduler's, and then asks the event thread to let the fibers run.
 *
 * <p>A fiber is a thread of its own that the event thread carries: {@code
 * EventQueue.isDispatchThread()} is false in it. What checks that is to be called through {@code
 * EventQueue.invokeAndWait}, which parks the fiber.
 */
@SuppressWarnings("try") // closing waits for the event thread, which can be interrupted
public final class SwingGuest implements AutoCloseable {
  private static final Duration WITHOUT_END = Duration.ofSeconds(-1);

  private final Scheduler guest;
  private final Thread watcher;

  /** Makes a scheduler whose driver is the event thread; any thread but that one may call. */
  public SwingGuest() throws InterruptedException, InvocationTargetException {
    guest = Scheduler.builder().name("swing").build();
    int[] fd = new int[1];
    EventQueue.invokeAndWait(() -> fd[0] = pollFd());
    watcher = Thread.ofPlatform().daemon().name("fdfiber watcher").start(() -> watch(fd[0]));
  }

  private int pollFd() {
    try {
      return guest.pollFd(); // in the event thread, which thereby owns the scheduler
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The scheduler: any thread may spawn, and every fiber runs on the event thread. */
  public Scheduler scheduler() {
    return guest;
  }

  private void watch(int fd) {
    try {
      while (true) {
        OptionalLong next = guest.nextWakeNanos();
        if (next.isEmpty() || next.getAsLong() > 0) {
          Duration limit = next.isEmpty() ? WITHOUT_END : Duration.ofNanos(next.getAsLong());
          Scheduler.ioWait(fd, Scheduler.READ, limit);
        }
        EventQueue.invokeAndWait(guest::runUntilEmpty);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    } catch (IOException | InvocationTargetException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Ends the fibers, on the event thread. Any thread but that one. */
  @Override
  public void close() throws InterruptedException, InvocationTargetException {
    watcher.interrupt();
    watcher.join();
    EventQueue.invokeAndWait(guest::close);
  }

  /** Counts in a fiber, and shows an event handler between. */
  public static void main(String[] args) throws Exception {
    System.setProperty("java.awt.headless", "true"); // an event thread needs no screen
    try (SwingGuest swing = new SwingGuest()) {
      Fiber counter =
          swing
              .scheduler()
              .spawn(
                  "counter",
                  () -> {
                    for (int i = 1; i <= 3; i++) {
                      Scheduler.pause(0.2);
                      System.out.print(i + ": " + swing.scheduler().dump());
                      EventQueue.invokeAndWait(
                          () -> System.out.println("an event, in " + Thread.currentThread()));
                    }
                  });
      counter.join();
    }
  }
}
