package dev.fdfiber.sock;

import dev.fdfiber.Scheduler;
import dev.fdfiber.kernel.Kernel;
import dev.fdfiber.kernel.Linux;
import dev.fdfiber.kernel.NativeBuffers;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Runs a command of the shell. The JDK starts it, on a thread of its own, since that blocks; it
 * writes into two pipes of ours, which one {@link PollSet} reads, so no thread is held and a cancel
 * can let go of them whoever still has the other ends.
 */
final class Shell {
  private Shell() {}

  static ShellResult capture(String command, int max) throws IOException {
    Kernel kernel = Io.kernel();
    try (Pipe out = Pipe.open(kernel);
        Pipe err = Pipe.open(kernel)) {
      Process process = start(command, out, err);
      try {
        out.closeWriter();
        err.closeWriter();
        Sink output = new Sink(max);
        Sink errorOutput = new Sink(max);
        readBoth(kernel, out.reader, output, err.reader, errorOutput);
        int status = exitStatus(process, output.size() + (long) errorOutput.size());
        return new ShellResult(output.toByteArray(), errorOutput.toByteArray(), status);
      } catch (IOException | RuntimeException | Error e) {
        kill(process.toHandle());
        throw e;
      }
    }
  }

  // ---- the process

  private static Process start(String command, Pipe out, Pipe err) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder("/bin/sh", "-c", command)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(out.file())
            .redirectError(err.file());
    FutureTask<Process> start = new FutureTask<>(builder::start);
    if (Scheduler.inFiber()) {
      Thread.ofPlatform().daemon().name("fdfiber-shell").start(start);
    } else {
      start.run();
    }
    return started(start);
  }

  /**
   * Waits for the start, which takes milliseconds, also when the fiber is cancelled: until then the
   * numbers of the pipes must not become other files. Whoever waits next notices the cancel.
   */
  private static Process started(FutureTask<Process> start) throws IOException {
    boolean cancelled = false;
    try {
      while (true) {
        try {
          return start.get();
        } catch (InterruptedException e) {
          cancelled = true;
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      if (cancelled) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static int exitStatus(Process process, long transferred) throws IOException {
    try {
      return process.onExit().get().exitValue();
    } catch (InterruptedException e) {
      throw Io.cancelled("shellCapture", transferred, e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  /** First the parent, which then starts no more, then what it had started. */
  private static void kill(ProcessHandle process) {
    List<ProcessHandle> children = process.children().toList();
    process.destroyForcibly();
    children.forEach(Shell::kill);
  }

  // ---- what it writes

  private static void readBoth(Kernel kernel, int outFd, Sink out, int errFd, Sink err)
      throws IOException {
    PollSet set = new PollSet();
    while (out.isOpen || err.isOpen) {
      set.reset();
      int outSlot = out.isOpen ? set.add(outFd, Scheduler.READ) : -1;
      int errSlot = err.isOpen ? set.add(errFd, Scheduler.READ) : -1;
      try {
        set.run(-1);
      } catch (InterruptedIOException e) {
        e.bytesTransferred = (int) Math.min((long) out.size() + err.size(), Integer.MAX_VALUE);
        throw e;
      }
      if (outSlot >= 0 && set.ready(outSlot) != 0) {
        out.take(Io.read(kernel, outFd, NativeBuffers.SIZE, Io.FOREVER, 0));
      }
      if (errSlot >= 0 && set.ready(errSlot) != 0) {
        err.take(Io.read(kernel, errFd, NativeBuffers.SIZE, Io.FOREVER, 0));
      }
    }
  }

  /** Keeps the first bytes of a stream. */
  private static final class Sink extends ByteArrayOutputStream {
    private final int max;
    boolean isOpen = true;

    Sink(int max) {
      this.max = max;
    }

    void take(byte[] some) {
      isOpen = some.length > 0;
      write(some, 0, Math.min(some.length, max - size()));
    }
  }

  private static final class Pipe implements AutoCloseable {
    private final Kernel kernel;
    final int reader;
    private int writer;

    private Pipe(Kernel kernel, int reader, int writer) {
      this.kernel = kernel;
      this.reader = reader;
      this.writer = writer;
    }

    /** Only the reader is non-blocking: the process gets a description of its own. */
    static Pipe open(Kernel kernel) throws IOException {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment fds = arena.allocate(ValueLayout.JAVA_INT, 2);
        Io.check(kernel.pipe2(fds, Linux.O_CLOEXEC | Linux.O_NONBLOCK), "pipe2");
        return new Pipe(
            kernel,
            fds.getAtIndex(ValueLayout.JAVA_INT, 0),
            fds.getAtIndex(ValueLayout.JAVA_INT, 1));
      }
    }

    /** The other end, to be opened anew. */
    File file() {
      return new File("/proc/self/fd/" + writer);
    }

    void closeWriter() {
      if (writer >= 0) {
        kernel.close(writer);
        writer = -1;
      }
    }

    @Override
    public void close() {
      closeWriter();
      Tcp.close(kernel, reader);
    }
  }
}
