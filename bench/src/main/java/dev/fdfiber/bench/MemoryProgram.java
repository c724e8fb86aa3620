package dev.fdfiber.bench;

import dev.fdfiber.FdChannel;
import dev.fdfiber.FiberBody;
import dev.fdfiber.Scheduler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.management.ObjectName;

/**
 * {@link Memory} of one peer: prints bytes per fiber, heap by the difference of two full
 * collections, or what native memory tracking counts as "Other", which is where native segments and
 * direct buffers are. Pipes are opened before, and their objects held by both.
 */
final class MemoryProgram {
  private static final int WARM_UPS = 300;

  private final String how;
  private final Scheduler scheduler = Scheduler.create();
  private final ArrayList<Thread> threads = new ArrayList<>(); // nobody else refers to them
  private final List<Runnable> starts = new ArrayList<>();
  private final List<Pipes.Fds> warmUpPipes = Stream.generate(Pipes.Fds::open).limit(200).toList();

  private MemoryProgram(String how) {
    this.how = how;
  }

  /** Arguments: "heap" or "off-heap", how to wait, how many, how many repetitions (ignored). */
  public static void main(String[] args) throws Exception {
    int count = Integer.parseInt(args[2]);
    MemoryProgram program = new MemoryProgram(args[1]);
    program.warmUp();
    program.prepare(count);
    boolean heap = args[0].equals("heap");
    long before = heap ? usedHeap() : usedOther();
    program.start();
    long after = heap ? usedHeap() : usedOther();
    System.out.println((double) (after - before) / count);
    System.exit(program.scheduler.aliveCount() + program.threads.size() == count ? 0 : 1);
  }

  /** Parks many for a moment: compiled frames are smaller than those of the interpreter. */
  private void warmUp() throws IOException, InterruptedException {
    for (int i = 0; i < WARM_UPS; i++) {
      if (isOfThreads()) {
        warmUpThreads();
      } else {
        warmUpFibers();
      }
    }
  }

  private boolean isOfThreads() {
    return how.equals("park") || how.equals("read");
  }

  private void warmUpFibers() throws IOException {
    Duration moment = Duration.ofMillis(5);
    for (Pipes.Fds pipe : warmUpPipes) {
      FiberBody body =
          switch (how) {
            case "pause" -> pausing(0.005);
            case "ioWait" -> waiting(pipe.readFd(), 0.005);
            default -> {
              FdChannel channel = FdChannel.own(pipe.readFd());
              ByteBuffer buffer = ByteBuffer.allocate(1);
              yield () -> channel.read(buffer, moment);
            }
          };
      scheduler.spawn(body);
    }
    scheduler.run();
  }

  // The warm-up runs the very same bodies.

  private static FiberBody pausing(double seconds) {
    return () -> Scheduler.pause(seconds);
  }

  private static FiberBody waiting(int fd, double seconds) {
    return () -> Scheduler.ioWait(fd, Scheduler.READ, seconds);
  }

  private void warmUpThreads() throws IOException, InterruptedException {
    List<Pipe> pipes = new ArrayList<>();
    for (int i = 0; i < warmUpPipes.size(); i++) {
      if (how.equals("park")) {
        threads.add(Thread.startVirtualThread(LockSupport::park));
      } else {
        Pipe pipe = Pipe.open();
        pipes.add(pipe);
        ByteBuffer buffer = ByteBuffer.allocate(1);
        threads.add(Thread.startVirtualThread(() -> read(pipe, buffer)));
      }
    }
    awaitParked();
    threads.forEach(LockSupport::unpark);
    for (Pipe pipe : pipes) {
      pipe.sink().write(ByteBuffer.allocate(1));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    for (Pipe pipe : pipes) {
      pipe.source().close();
      pipe.sink().close();
    }
    threads.clear();
  }

  private void prepare(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      starts.add(starter());
    }
    threads.ensureCapacity(isOfThreads() ? count : 0); // not to be counted
  }

  private Runnable starter() throws IOException {
    return switch (how) {
      case "pause" -> {
        FiberBody body = pausing(3600); // not to be counted, since it is the user's
        yield () -> scheduler.spawn(body);
      }
      case "ioWait" -> {
        int fd = Pipes.Fds.open().readFd();
        FiberBody body = waiting(fd, -1);
        yield () -> scheduler.spawn(body);
      }
      case "channel" -> {
        FdChannel channel = FdChannel.own(Pipes.Fds.open().readFd());
        ByteBuffer buffer = ByteBuffer.allocate(1);
        yield () -> scheduler.spawn(() -> channel.read(buffer));
      }
      case "park" -> () -> threads.add(Thread.startVirtualThread(LockSupport::park));
      case "read" -> {
        Pipe pipe = Pipe.open();
        ByteBuffer buffer = ByteBuffer.allocate(1);
        yield () -> threads.add(Thread.startVirtualThread(() -> read(pipe, buffer)));
      }
      default -> throw new IllegalArgumentException(how);
    };
  }

  private static void read(Pipe pipe, ByteBuffer buffer) {
    try {
      pipe.source().read(buffer);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void start() throws InterruptedException {
    starts.forEach(Runnable::run);
    scheduler.runUntilEmpty();
    awaitParked();
  }

  private void awaitParked() throws InterruptedException {
    for (Thread thread : threads) {
      while (thread.getState() != Thread.State.WAITING) {
        Thread.sleep(1);
      }
    }
  }

  private static long usedHeap() throws InterruptedException {
    for (int i = 0; i < 3; i++) {
      System.gc();
      Thread.sleep(20);
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private static long usedOther() throws Exception {
    String summary =
        (String)
            ManagementFactory.getPlatformMBeanServer()
                .invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"),
                    "vmNativeMemory",
                    new Object[] {new String[] {"summary", "scale=KB"}},
                    new String[] {String[].class.getName()});
    Matcher other =
        Pattern.compile("Other \\(reserved=\\d+KB, committed=(\\d+)KB").matcher(summary);
    return other.find() ? Long.parseLong(other.group(1)) * 1024 : 0;
  }
}
