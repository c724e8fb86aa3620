package dev.fdfiber;

import static dev.fdfiber.Scheduler.READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fdfiber.testing.FdTest;
import dev.fdfiber.testing.Fds;
import dev.fdfiber.testing.Logged;
import dev.fdfiber.testing.Pipe;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import org.junit.jupiter.api.Test;

/** R22: waits with a native frame on the stack: qsort(3) calls the comparison, which waits. */
@FdTest
class PinnedUpcallTest {
  /** What the comparison does. */
  private static FiberBody work = () -> {};

  private final List<String> seen = new ArrayList<>();

  static int compares(MemorySegment a, MemorySegment b) {
    try {
      work.run();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    return 0;
  }

  @SuppressWarnings("restricted") // native code that calls back, which only a test needs
  private static void sortsNatively() {
    Linker linker = Linker.nativeLinker();
    ValueLayout size = ValueLayout.JAVA_LONG;
    MemoryLayout pointer = ValueLayout.ADDRESS;
    try (Arena arena = Arena.ofConfined()) {
      MethodHandle sort =
          linker.downcallHandle(
              linker.defaultLookup().find("qsort").orElseThrow(),
              FunctionDescriptor.ofVoid(pointer, size, size, pointer));
      MethodHandle comparison =
          MethodHandles.lookup()
              .findStatic(
                  PinnedUpcallTest.class,
                  "compares",
                  MethodType.methodType(int.class, MemorySegment.class, MemorySegment.class));
      MemorySegment upcall =
          linker.upcallStub(
              comparison, FunctionDescriptor.of(ValueLayout.JAVA_INT, pointer, pointer), arena);
      MemorySegment two = arena.allocateFrom(ValueLayout.JAVA_INT, 2, 1);
      sort.invokeExact(two, 2L, 4L, upcall);
    } catch (Throwable t) {
      throw new AssertionError(t);
    }
  }

  @Test
  void r22_waitsInAnUpcall_areServedAndReported(Pipe pipe) {
    try (Scheduler s = Scheduler.create();
        Logged logged = new Logged()) {
      Fds.write(pipe.writeFd(), "x");
      work =
          () -> {
            seen.add("saw " + Scheduler.ioWait(pipe.readFd(), READ, -1));
            Scheduler.pause(0.000_001);
            seen.add("paused");
          };
      Fiber fiber = s.spawn("sorter", PinnedUpcallTest::sortsNatively);
      s.run();
      assertThat(fiber.failure()).isEmpty();
      assertThat(seen).containsExactly("saw 1", "paused");
      assertThat(logged.at(Level.WARNING)).hasSize(2);
      assertThat(logged.at(Level.WARNING))
          .allMatch(m -> m.contains("sorter") && m.contains("sortsNatively"));
    }
  }

  @Test
  void r22_badDescriptorWhilePinned_isEbadf() {
    Fds.Pair pipe = Fds.pipe();
    pipe.close();
    try (Scheduler s = Scheduler.create();
        Logged logged = new Logged()) {
      work =
          () -> {
            assertThatThrownBy(() -> Scheduler.ioWait(pipe.a(), READ, -1))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("EBADF");
            seen.add("refused");
          };
      s.spawn(PinnedUpcallTest::sortsNatively);
      s.run();
      assertThat(seen).containsExactly("refused");
      assertThat(logged.at(Level.WARNING)).hasSize(1);
    }
  }
}
